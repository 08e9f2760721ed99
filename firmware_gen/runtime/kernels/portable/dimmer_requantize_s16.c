/* SPDX-License-Identifier: Apache-2.0 */
#include "wide.h"

void dimmer_requantize_s16(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_requantize_s16_t *r = (const dimmer_requantize_s16_t *)record;
    const uint8_t *input = arena + r->input;
    int8_t *narrow = (int8_t *)(arena + r->output);
    int16_t *wide = dimmer_wide_output(arena, r->output);
    uint32_t i;

    (void)model;
    for (i = 0; i < r->elements; ++i) {
        const int32_t x = r->source_type == DIMMER_INT8 ? ((const int8_t *)input)[i]
                                                        : ((const int16_t *)(const void *)input)[i];
        const int32_t y = dimmer_requantize(x - r->input_zero_point, r->multiplier, r->shift);
        const int16_t code = dimmer_clamp_s16(y + r->output_zero_point, r->activation_min, r->activation_max);

        if (r->output_type == DIMMER_INT8) {
            narrow[i] = (int8_t)code;
        } else {
            wide[i] = code;
        }
    }
}
