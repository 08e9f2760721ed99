/* SPDX-License-Identifier: Apache-2.0 */
#include "wide.h"

void dimmer_mean_s16(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_mean_s16_t *r = (const dimmer_mean_s16_t *)record;
    const int16_t *input = dimmer_wide_input(arena, r->input);
    int16_t *output = dimmer_wide_output(arena, r->output);
    const size_t row = (size_t)r->inner * r->reduce2;
    uint32_t o;
    uint32_t i;

    DIMMER_ASSERT(r->reduce1 >= 1u && r->reduce2 >= 1u && (uint64_t)r->reduce1 * r->reduce2 < 1u << 16);
    (void)model;
    for (o = 0; o < r->outer; ++o, input += row * r->reduce1) {
        for (i = 0; i < r->inner; ++i) {
            const int16_t *from = input + (size_t)i * r->reduce2;
            int32_t sum = 0;
            uint32_t a;
            uint32_t b;

            for (a = 0; a < r->reduce1; ++a, from += row) {
                for (b = 0; b < r->reduce2; ++b) {
                    sum += from[b];
                }
            }
            *output++ =
                dimmer_clamp_s16(dimmer_requantize(sum, r->multiplier, r->shift), INT16_MIN, INT16_MAX);
        }
    }
}
