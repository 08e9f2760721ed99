/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_kernels.h"
#include "../common/require.h"
#include "cast.h"

void dimmer_cast_f32(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_cast_f32_t *r = (const dimmer_cast_f32_t *)record;
    const uint8_t *input = arena + r->input;
    float *output = (float *)(void *)(arena + r->output);
    size_t i;

    DIMMER_ASSERT(r->source_type != DIMMER_FLOAT32 && r->source_type <= DIMMER_BOOL && r->output % 4u == 0u);
    (void)model;
    for (i = 0; i < r->elements; ++i) {
        output[i] = (float)number_at(input, r->source_type, i);
    }
}
