/* SPDX-License-Identifier: Apache-2.0 */
/* The body that ADD and SUB share. */
#ifndef DIMMER_SUM_H
#define DIMMER_SUM_H

#include "dimmer_fixed_point.h"
#include "../common/broadcast.h"

/* What each element needs. A copy: a store through int8_t may change the record for all that the compiler
 * knows, and it would read every field again. */
typedef struct {
    int32_t multiplier1;
    int32_t multiplier2;
    int32_t multiplier_output;
    int32_t zero1;
    int32_t zero2;
    int32_t zero_output;
    int32_t low;
    int32_t high;
    int shift1;
    int shift2;
    int shift_output;
    int left_shift;
} dimmer_sum_t;

static inline int32_t dimmer_widen(int32_t x, const dimmer_sum_t *s) {
    return (int32_t)((uint32_t)x << s->left_shift);
}

/* sign is 1 or -1. */
static inline void dimmer_sum_s8(const dimmer_model_t *model, const dimmer_add_s8_t *r, uint8_t *arena,
                                 int32_t sign) {
    const dimmer_sum_t s = {r->multiplier1,    r->multiplier2,    r->multiplier_output,
                            r->zero_point1,    r->zero_point2,    r->output_zero_point,
                            r->activation_min, r->activation_max, r->shift1,
                            r->shift2,         r->shift_output,   r->left_shift};
    const uint32_t dims[4] = {r->dims[0], r->dims[1], r->dims[2], r->dims[3]};
    const int8_t *input1 = dimmer_operand(model, arena, r->input1_blob, r->input1);
    const int8_t *input2 = dimmer_operand(model, arena, r->input2_blob, r->input2);
    int8_t *output = (int8_t *)(arena + r->output);
    uint32_t strides1[4];
    uint32_t strides2[4];
    uint32_t i0;
    uint32_t i1;
    uint32_t i2;

    dimmer_broadcast_strides(dims, r->broadcast1, strides1);
    dimmer_broadcast_strides(dims, r->broadcast2, strides2);
    for (i0 = 0; i0 < dims[0]; ++i0) {
        for (i1 = 0; i1 < dims[1]; ++i1) {
            for (i2 = 0; i2 < dims[2]; ++i2) {
                const int8_t *from1 = input1 + i0 * strides1[0] + i1 * strides1[1] + i2 * strides1[2];
                const int8_t *from2 = input2 + i0 * strides2[0] + i1 * strides2[1] + i2 * strides2[2];
                const int8_t *const end = output + dims[3];

                for (; output != end; from1 += strides1[3], from2 += strides2[3]) {
                    const int32_t x1 =
                        dimmer_requantize(dimmer_widen(*from1 - s.zero1, &s), s.multiplier1, s.shift1);
                    const int32_t x2 =
                        dimmer_requantize(dimmer_widen(*from2 - s.zero2, &s), s.multiplier2, s.shift2);
                    const int32_t sum =
                        dimmer_requantize(x1 + sign * x2, s.multiplier_output, s.shift_output);

                    *output++ = dimmer_clamp_s8(sum + s.zero_output, s.low, s.high);
                }
            }
        }
    }
}

#endif
