/* SPDX-License-Identifier: Apache-2.0 */
#include "wide.h"

void dimmer_fully_connected_s16(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_fully_connected_s16_t *r = (const dimmer_fully_connected_s16_t *)record;
    const int16_t *input = dimmer_wide_input(arena, r->input);
    int16_t *output = dimmer_wide_output(arena, r->output);
    uint32_t row;

    DIMMER_ASSERT(r->per_channel <= 1u);
    for (row = 0; row < r->rows; ++row, input += r->input_c) {
        const int8_t *weights = model->weights + r->weights;
        const int32_t *scale = model->params + r->scales;
        uint32_t o;

        for (o = 0; o < r->output_c; ++o, weights += r->input_c, scale += r->per_channel != 0u ? 2 : 0) {
            int32_t sum = model->params[r->bias + o];
            uint32_t i;

            for (i = 0; i < r->input_c; ++i) {
                sum += input[i] * weights[i];
            }
            *output++ =
                dimmer_clamp_s16(dimmer_scale_in_double(sum, scale), r->activation_min, r->activation_max);
        }
    }
}
