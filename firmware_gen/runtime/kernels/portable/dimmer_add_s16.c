/* SPDX-License-Identifier: Apache-2.0 */
#include "wide_pair.h"

#define LEFT_SHIFT 15

void dimmer_add_s16(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_add_s16_t *r = (const dimmer_add_s16_t *)record;
    const int16_t *input1 = dimmer_wide_operand(model, arena, r->input1_blob, r->input1);
    const int16_t *input2 = dimmer_wide_operand(model, arena, r->input2_blob, r->input2);
    int16_t *output = dimmer_wide_output(arena, r->output);
    uint32_t row;

    DIMMER_ASSERT(r->sign == 1 || r->sign == -1);
    for (row = 0; row < dimmer_wide_rows(r->dims); ++row) {
        dimmer_wide_row_t w = dimmer_wide_row(input1, input2, r->dims, r->broadcast1, r->broadcast2, row);
        uint32_t i;

        for (i = 0; i < r->dims[3]; ++i, w.first += w.step1, w.second += w.step2) {
            const int32_t x1 = dimmer_requantize(*w.first * (1 << LEFT_SHIFT), r->multiplier1, r->shift1);
            const int32_t x2 = dimmer_requantize(*w.second * (1 << LEFT_SHIFT), r->multiplier2, r->shift2);

            *output++ =
                dimmer_clamp_s16(dimmer_requantize(x1 + r->sign * x2, r->multiplier_output, r->shift_output),
                                 r->activation_min, r->activation_max);
        }
    }
}
