/* SPDX-License-Identifier: Apache-2.0 */
#include "wide.h"

void dimmer_dequantize_s16_f32(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_dequantize_s16_f32_t *r = (const dimmer_dequantize_s16_f32_t *)record;
    const int16_t *input = dimmer_wide_input(arena, r->input);
    float *output = (float *)(void *)(arena + r->output);
    uint32_t i;

    (void)model;
    for (i = 0; i < r->elements; ++i) {
        output[i] = r->scale * (float)input[i];
    }
}
