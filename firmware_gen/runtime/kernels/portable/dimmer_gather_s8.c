/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "dimmer_kernels.h"
#include "../common/broadcast.h"
#include "../common/require.h"

void dimmer_gather_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_gather_s8_t *r = (const dimmer_gather_s8_t *)record;
    const int8_t *input = dimmer_operand(model, arena, r->input_blob, r->input);
    const int32_t *indexes = (const int32_t *)(const void *)(arena + r->indexes);
    uint8_t *output = arena + r->output;
    uint32_t o;
    uint32_t i;

    DIMMER_ASSERT(r->input_blob <= DIMMER_IN_WEIGHTS && r->depth >= 1u && r->indexes % 4u == 0u);
    for (o = 0; o < r->outer; ++o, input += (size_t)r->depth * r->run) {
        for (i = 0; i < r->count; ++i, output += r->run) {
            const int32_t index = indexes[i];
            uint32_t place = index < 0 ? 0u : (uint32_t)index;

            if (place >= r->depth) {
                place = r->depth - 1u;
            }
            memcpy(output, input + (size_t)place * r->run, r->run);
        }
    }
}
