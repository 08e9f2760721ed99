/* SPDX-License-Identifier: Apache-2.0 */
/* Two operands of 16 bits over a 4-D output, row by row. */
#ifndef DIMMER_WIDE_PAIR_H
#define DIMMER_WIDE_PAIR_H

#include "wide.h"

typedef struct {
    const int16_t *first;
    const int16_t *second;
    uint32_t step1;
    uint32_t step2;
} dimmer_wide_row_t;

/* Row `row` of dims[0] * dims[1] * dims[2]. */
static inline dimmer_wide_row_t dimmer_wide_row(const int16_t *input1, const int16_t *input2,
                                                const uint32_t dims[4], uint8_t broadcast1,
                                                uint8_t broadcast2, uint32_t row) {
    uint32_t strides1[4];
    uint32_t strides2[4];
    dimmer_wide_row_t w;
    int i;

    dimmer_broadcast_strides(dims, broadcast1, strides1);
    dimmer_broadcast_strides(dims, broadcast2, strides2);
    for (i = 2; i >= 0; --i) {
        input1 += (size_t)(row % dims[i]) * strides1[i];
        input2 += (size_t)(row % dims[i]) * strides2[i];
        row /= dims[i];
    }
    w.first = input1;
    w.second = input2;
    w.step1 = strides1[3];
    w.step2 = strides2[3];
    return w;
}

static inline uint32_t dimmer_wide_rows(const uint32_t dims[4]) {
    return dims[0] * dims[1] * dims[2];
}

#endif
