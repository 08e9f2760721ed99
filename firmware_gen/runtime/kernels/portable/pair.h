/* SPDX-License-Identifier: Apache-2.0 */
/* Two operands, element by element, in the order of the output. */
#ifndef DIMMER_PAIR_H
#define DIMMER_PAIR_H

#include "../common/broadcast.h"

typedef struct {
    const int8_t *input1;
    const int8_t *input2;
    uint32_t strides1[4];
    uint32_t strides2[4];
    uint32_t at[3];
} dimmer_pairs_t;

/* Moves on to the next row of dims[3] elements; 0 behind the last. */
static inline int dimmer_next_row(dimmer_pairs_t *p, const uint32_t dims[4]) {
    int i;

    for (i = 2; i >= 0; --i) {
        p->input1 += p->strides1[i];
        p->input2 += p->strides2[i];
        if (++p->at[i] < dims[i]) {
            return 1;
        }
        p->input1 -= (size_t)p->strides1[i] * dims[i];
        p->input2 -= (size_t)p->strides2[i] * dims[i];
        p->at[i] = 0;
    }
    return 0;
}

/* Any record that has the fields of an elementwise kernel. */
#define DIMMER_PAIRS(model, arena, r)                                                                        \
    {                                                                                                        \
        dimmer_operand((model), (arena), (r)->input1_blob, (r)->input1),                                     \
        dimmer_operand((model), (arena), (r)->input2_blob, (r)->input2),                                     \
        {0, 0, 0, 0},                                                                                        \
        {0, 0, 0, 0},                                                                                        \
        {0, 0, 0},                                                                                           \
    }

static inline void dimmer_start_rows(dimmer_pairs_t *p, const uint32_t dims[4], uint8_t broadcast1,
                                     uint8_t broadcast2) {
    dimmer_broadcast_strides(dims, broadcast1, p->strides1);
    dimmer_broadcast_strides(dims, broadcast2, p->strides2);
}

#endif
