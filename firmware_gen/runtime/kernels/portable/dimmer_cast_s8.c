/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_kernels.h"
#include "../common/require.h"
#include "cast.h"

void dimmer_cast_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_cast_s8_t *r = (const dimmer_cast_s8_t *)record;
    const uint8_t *input = arena + r->input;
    uint8_t *output = arena + r->output;
    size_t i;

    DIMMER_ASSERT(r->source_type != DIMMER_FLOAT32 && r->source_type <= DIMMER_BOOL &&
                  r->output_type != DIMMER_FLOAT32 && r->output_type <= DIMMER_BOOL);
    (void)model;
    for (i = 0; i < r->elements; ++i) {
        const int32_t x = number_at(input, r->source_type, i);
        uint32_t *words = (uint32_t *)(void *)output;

        switch (r->output_type) {
        case DIMMER_INT16:
            ((uint16_t *)(void *)output)[i] = (uint16_t)x;
            break;
        case DIMMER_INT32:
            words[i] = (uint32_t)x;
            break;
        case DIMMER_INT64:
            words[2u * i] = (uint32_t)x;
            words[2u * i + 1u] = x < 0 ? UINT32_MAX : 0u;
            break;
        case DIMMER_BOOL:
            output[i] = x != 0;
            break;
        default:
            output[i] = (uint8_t)x;
            break;
        }
    }
}
