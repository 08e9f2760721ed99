/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_fixed_point.h"
#include "pair.h"
#include "../common/require.h"

void dimmer_prelu_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_prelu_s8_t *r = (const dimmer_prelu_s8_t *)record;
    dimmer_pairs_t p = DIMMER_PAIRS(model, arena, r);
    int8_t *output = (int8_t *)(arena + r->output);

    DIMMER_ASSERT(r->input1_blob <= DIMMER_IN_WEIGHTS && r->input2_blob <= DIMMER_IN_WEIGHTS);
    dimmer_start_rows(&p, r->dims, r->broadcast1, r->broadcast2);
    do {
        const int8_t *from1 = p.input1;
        const int8_t *from2 = p.input2;
        uint32_t i;

        for (i = 0; i < r->dims[3]; ++i, from1 += p.strides1[3], from2 += p.strides2[3]) {
            const int32_t x = *from1 - r->zero_point1;
            const int32_t y = x >= 0
                                  ? dimmer_requantize(x, r->positive_multiplier, r->positive_shift)
                                  : dimmer_requantize(x * (*from2 - r->zero_point2), r->multiplier, r->shift);

            *output++ = dimmer_clamp_s8(y + r->output_zero_point, r->activation_min, r->activation_max);
        }
    } while (dimmer_next_row(&p, r->dims));
}
