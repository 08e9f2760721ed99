/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_kernels.h"
#include "../common/require.h"

void dimmer_dequantize_s8_f32(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_dequantize_s8_f32_t *r = (const dimmer_dequantize_s8_f32_t *)record;
    const int8_t *input = (const int8_t *)(arena + r->input);
    float *output = (float *)(void *)(arena + r->output);
    uint32_t i;

    DIMMER_ASSERT(r->output % 4u == 0u);
    (void)model;
    for (i = 0; i < r->elements; ++i) {
        output[i] = r->scale * (float)(input[i] - r->zero_point);
    }
}
