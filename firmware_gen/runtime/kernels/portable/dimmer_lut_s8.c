/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_kernels.h"
#include "../common/require.h"

void dimmer_lut_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_lut_s8_t *r = (const dimmer_lut_s8_t *)record;
    const int8_t *table = model->weights + r->table + 128;
    const int8_t *input = (const int8_t *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    uint32_t i;

    for (i = 0; i < r->elements; ++i) {
        output[i] = table[input[i]];
    }
}
