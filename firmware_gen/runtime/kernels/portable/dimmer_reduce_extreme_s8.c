/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_kernels.h"
#include "../common/require.h"

void dimmer_reduce_extreme_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_reduce_extreme_s8_t *r = (const dimmer_reduce_extreme_s8_t *)record;
    const int8_t *input = (const int8_t *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    const size_t row = (size_t)r->inner * r->reduce2;
    uint32_t o;
    uint32_t i;

    DIMMER_ASSERT(r->largest <= 1u);
    (void)model;
    for (o = 0; o < r->outer; ++o, input += row * r->reduce1) {
        for (i = 0; i < r->inner; ++i) {
            const int8_t *from = input + (size_t)i * r->reduce2;
            int8_t best = *from;
            uint32_t a;
            uint32_t b;

            for (a = 0; a < r->reduce1; ++a, from += row) {
                for (b = 0; b < r->reduce2; ++b) {
                    if (r->largest != 0u ? from[b] > best : from[b] < best) {
                        best = from[b];
                    }
                }
            }
            *output++ = best;
        }
    }
}
