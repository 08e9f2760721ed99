/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_fixed_point.h"
#include "../common/broadcast.h"
#include "../common/require.h"

void dimmer_mul_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_mul_s8_t *r = (const dimmer_mul_s8_t *)record;
    const int8_t *input1 = dimmer_operand(model, arena, r->input1_blob, r->input1);
    const int8_t *input2 = dimmer_operand(model, arena, r->input2_blob, r->input2);
    int8_t *output = (int8_t *)(arena + r->output);
    uint32_t strides1[4];
    uint32_t strides2[4];
    uint32_t i0;
    uint32_t i1;
    uint32_t i2;
    uint32_t i3;

    DIMMER_ASSERT(r->shift >= -31 && r->shift <= 30);
    DIMMER_ASSERT(r->input1_blob <= DIMMER_IN_WEIGHTS && r->input2_blob <= DIMMER_IN_WEIGHTS);
    DIMMER_ASSERT(r->activation_min <= r->activation_max);
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
                    const int32_t product = (*from1 - r->zero_point1) * (*from2 - r->zero_point2);

                    *output++ = dimmer_clamp_s8(dimmer_requantize(product, r->multiplier, r->shift) +
                                                    r->output_zero_point,
                                                r->activation_min, r->activation_max);
                }
            }
        }
    }
}
