/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_fixed_point.h"
#include "pair.h"
#include "../common/require.h"

void dimmer_compare_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_compare_s8_t *r = (const dimmer_compare_s8_t *)record;
    dimmer_pairs_t p = DIMMER_PAIRS(model, arena, r);
    uint8_t *output = arena + r->output;

    DIMMER_ASSERT(r->input1_blob <= DIMMER_IN_WEIGHTS && r->input2_blob <= DIMMER_IN_WEIGHTS);
    DIMMER_ASSERT(r->shift1 >= -31 && r->shift1 <= 0 && r->shift2 >= -31 && r->shift2 <= 0);
    dimmer_start_rows(&p, r->dims, r->broadcast1, r->broadcast2);
    do {
        const int8_t *from1 = p.input1;
        const int8_t *from2 = p.input2;
        uint32_t i;

        for (i = 0; i < r->dims[3]; ++i, from1 += p.strides1[3], from2 += p.strides2[3]) {
            const int32_t x1 = dimmer_requantize((*from1 - r->zero_point1) * 256, r->multiplier1, r->shift1);
            const int32_t x2 = dimmer_requantize((*from2 - r->zero_point2) * 256, r->multiplier2, r->shift2);

            *output++ = x1 < x2 ? r->less : x1 > x2 ? r->greater : r->equal;
        }
    } while (dimmer_next_row(&p, r->dims));
}
