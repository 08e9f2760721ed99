/* SPDX-License-Identifier: Apache-2.0 */
/* How pooling kernels find the part of each window that lies inside the input. */
#ifndef DIMMER_POOL_H
#define DIMMER_POOL_H

#include "dimmer_kernels.h"

typedef struct {
    const int8_t *first; /* channel 0 of the top left element */
    uint32_t rows;
    uint32_t columns;
} dimmer_pool_window_t;

static inline dimmer_pool_window_t dimmer_pool_window(const dimmer_pool_2d_s8_t *r, const int8_t *input,
                                                      int32_t y, int32_t x) {
    const int32_t top = y * r->stride_h - r->pad_top;
    const int32_t left = x * r->stride_w - r->pad_left;
    const int32_t y0 = top > 0 ? top : 0;
    const int32_t x0 = left > 0 ? left : 0;
    const int32_t y1 = top + r->window_h < r->input_h ? top + r->window_h : r->input_h;
    const int32_t x1 = left + r->window_w < r->input_w ? left + r->window_w : r->input_w;
    dimmer_pool_window_t w;

    w.first = input + ((size_t)y0 * r->input_w + (size_t)x0) * r->channels;
    w.rows = (uint32_t)(y1 - y0);
    w.columns = (uint32_t)(x1 - x0);
    return w;
}

#endif
