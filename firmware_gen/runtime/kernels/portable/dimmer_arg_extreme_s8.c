/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_kernels.h"
#include "../common/require.h"

void dimmer_arg_extreme_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_arg_extreme_s8_t *r = (const dimmer_arg_extreme_s8_t *)record;
    const int8_t *input = (const int8_t *)(arena + r->input);
    uint32_t *output = (uint32_t *)(void *)(arena + r->output);
    uint32_t o;
    uint32_t i;

    DIMMER_ASSERT(r->largest <= 1u && r->wide <= 1u && r->output % 4u == 0u);
    (void)model;
    for (o = 0; o < r->outer; ++o, input += (size_t)r->depth * r->inner) {
        for (i = 0; i < r->inner; ++i) {
            const int8_t *from = input + i;
            int8_t best = *from;
            uint32_t place = 0;
            uint32_t j;

            for (j = 0; j < r->depth; ++j, from += r->inner) {
                if (r->largest != 0u ? *from > best : *from < best) {
                    best = *from;
                    place = j;
                }
            }
            *output++ = place;
            if (r->wide != 0u) {
                *output++ = 0;
            }
        }
    }
}
