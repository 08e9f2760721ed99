/* SPDX-License-Identifier: Apache-2.0 */
/* Three rows of an input, with padding, which a 3x3 depthwise convolution moves down over it. */
#ifndef DIMMER_WINDOW_H
#define DIMMER_WINDOW_H

#include <string.h>

#include "dimmer_kernels.h"

#define DIMMER_WINDOW_ROWS 3

/* Bytes of a row. */
static inline size_t dimmer_window_width(const dimmer_depthwise_conv2d_s8_t *r) {
    const uint32_t reach = (r->output_w - 1u) * r->stride_w + DIMMER_WINDOW_ROWS;
    const uint32_t covered = (uint32_t)r->pad_left + r->input_w;

    return (size_t)(reach > covered ? reach : covered) * r->input_c;
}

/* An empty window of `width` bytes a row; gives the row of the input that comes into it next. */
static inline int32_t dimmer_window_begin(const dimmer_depthwise_conv2d_s8_t *r, int8_t *window,
                                          size_t width) {
    memset(window, r->input_zero_point, DIMMER_WINDOW_ROWS * width);
    return -(int32_t)r->pad_top;
}

/* Row y of the input with its padding, which is in place already at the sides. */
static inline void dimmer_window_fill(const dimmer_depthwise_conv2d_s8_t *r, const int8_t *input, int32_t y,
                                      size_t width, int8_t *to) {
    const size_t inside = (size_t)r->input_w * r->input_c;

    if (y < 0 || y >= r->input_h) {
        memset(to, r->input_zero_point, width);
    } else {
        memcpy(to + (size_t)r->pad_left * r->input_c, input + (size_t)y * inside, inside);
    }
}

/* To the rows under row y of the output, whose places are given; `next` as above, gives the new one. */
static inline int32_t dimmer_window_move(const dimmer_depthwise_conv2d_s8_t *r, const int8_t *input,
                                         int8_t *window, size_t width, int32_t y, int32_t next,
                                         const int8_t *rows[DIMMER_WINDOW_ROWS]) {
    const int32_t top = y * r->stride_h - r->pad_top;
    int32_t row;

    if (next < top) {
        next = top;
    }
    for (; next < top + DIMMER_WINDOW_ROWS; ++next) {
        int8_t *const to = window + (size_t)((next + r->pad_top) % DIMMER_WINDOW_ROWS) * width;

        dimmer_window_fill(r, input, next, width, to);
    }
    for (row = 0; row < DIMMER_WINDOW_ROWS; ++row) {
        rows[row] = window + (size_t)((top + row + r->pad_top) % DIMMER_WINDOW_ROWS) * width;
    }
    return next;
}

#endif
