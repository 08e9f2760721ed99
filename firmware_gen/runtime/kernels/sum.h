/* The body that ADD and SUB share; sign is 1 or -1. */
#ifndef DIMMER_SUM_H
#define DIMMER_SUM_H

#include "../fixedpoint.h"
#include "broadcast.h"

static inline void dimmer_sum_s8(const dimmer_model_t *model, const dimmer_add_s8_t *r, uint8_t *arena,
                                 int32_t sign) {
    const int8_t *input1 = dimmer_operand(model, arena, r->input1_blob, r->input1);
    const int8_t *input2 = dimmer_operand(model, arena, r->input2_blob, r->input2);
    int8_t *output = (int8_t *)(arena + r->output);
    const int32_t unit = (int32_t)1 << r->left_shift;
    uint32_t strides1[4];
    uint32_t strides2[4];
    uint32_t i0;
    uint32_t i1;
    uint32_t i2;
    uint32_t i3;

    dimmer_broadcast_strides(r->dims, r->broadcast1, strides1);
    dimmer_broadcast_strides(r->dims, r->broadcast2, strides2);
    for (i0 = 0; i0 < r->dims[0]; ++i0) {
        for (i1 = 0; i1 < r->dims[1]; ++i1) {
            for (i2 = 0; i2 < r->dims[2]; ++i2) {
                const int8_t *from1 =
                    input1 + (size_t)i0 * strides1[0] + (size_t)i1 * strides1[1] + (size_t)i2 * strides1[2];
                const int8_t *from2 =
                    input2 + (size_t)i0 * strides2[0] + (size_t)i1 * strides2[1] + (size_t)i2 * strides2[2];

                for (i3 = 0; i3 < r->dims[3]; ++i3, from1 += strides1[3], from2 += strides2[3]) {
                    const int32_t scaled1 =
                        dimmer_requantize((*from1 - r->zero_point1) * unit, r->multiplier1, r->shift1);
                    const int32_t scaled2 =
                        dimmer_requantize((*from2 - r->zero_point2) * unit, r->multiplier2, r->shift2);
                    const int32_t sum =
                        dimmer_requantize(scaled1 + sign * scaled2, r->multiplier_output, r->shift_output);

                    *output++ =
                        dimmer_clamp_s8(sum + r->output_zero_point, r->activation_min, r->activation_max);
                }
            }
        }
    }
}

#endif
