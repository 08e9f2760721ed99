/* SPDX-License-Identifier: Apache-2.0 */
#include "wide_pair.h"

void dimmer_mul_s16(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_mul_s16_t *r = (const dimmer_mul_s16_t *)record;
    const int16_t *input1 = dimmer_wide_operand(model, arena, r->input1_blob, r->input1);
    const int16_t *input2 = dimmer_wide_operand(model, arena, r->input2_blob, r->input2);
    int16_t *output = dimmer_wide_output(arena, r->output);
    uint32_t row;

    for (row = 0; row < dimmer_wide_rows(r->dims); ++row) {
        dimmer_wide_row_t w = dimmer_wide_row(input1, input2, r->dims, r->broadcast1, r->broadcast2, row);
        uint32_t i;

        for (i = 0; i < r->dims[3]; ++i, w.first += w.step1, w.second += w.step2) {
            *output++ =
                dimmer_clamp_s16(dimmer_requantize((int32_t)*w.first * *w.second, r->multiplier, r->shift),
                                 r->activation_min, r->activation_max);
        }
    }
}
