/* SPDX-License-Identifier: Apache-2.0 */
#include "pair.h"
#include "../common/require.h"

void dimmer_select_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_select_s8_t *r = (const dimmer_select_s8_t *)record;
    dimmer_pairs_t p = DIMMER_PAIRS(model, arena, r);
    const uint8_t *condition = arena + r->condition;
    int8_t *output = (int8_t *)(arena + r->output);
    uint32_t strides[4];

    DIMMER_ASSERT(r->input1_blob <= DIMMER_IN_WEIGHTS && r->input2_blob <= DIMMER_IN_WEIGHTS);
    dimmer_broadcast_strides(r->dims, r->broadcast, strides);
    dimmer_start_rows(&p, r->dims, r->broadcast1, r->broadcast2);
    do {
        const uint8_t *where = condition + (size_t)p.at[0] * strides[0] + (size_t)p.at[1] * strides[1] +
                               (size_t)p.at[2] * strides[2];
        const int8_t *from1 = p.input1;
        const int8_t *from2 = p.input2;
        uint32_t i;

        for (i = 0; i < r->dims[3]; ++i) {
            *output++ = *where != 0u ? *from1 : *from2;
            where += strides[3];
            from1 += p.strides1[3];
            from2 += p.strides2[3];
        }
    } while (dimmer_next_row(&p, r->dims));
}
