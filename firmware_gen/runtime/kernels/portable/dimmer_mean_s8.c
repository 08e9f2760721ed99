/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_fixed_point.h"
#include "dimmer_kernels.h"
#include "../common/require.h"

void dimmer_mean_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_mean_s8_t *r = (const dimmer_mean_s8_t *)record;
    const int8_t *input = (const int8_t *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    const size_t row = (size_t)r->inner * r->reduce2;
    const int32_t zero = r->input_zero_point * (int32_t)(r->reduce1 * r->reduce2);
    uint32_t o;
    uint32_t i;

    DIMMER_ASSERT(r->reduce1 >= 1u && r->reduce2 >= 1u && (uint64_t)r->reduce1 * r->reduce2 < 1u << 23);
    DIMMER_ASSERT(r->shift >= -31 && r->shift <= 30);
    (void)model;
    for (o = 0; o < r->outer; ++o, input += row * r->reduce1) {
        for (i = 0; i < r->inner; ++i) {
            const int8_t *from = input + (size_t)i * r->reduce2;
            int32_t sum = 0;
            uint32_t a;
            uint32_t b;

            for (a = 0; a < r->reduce1; ++a, from += row) {
                for (b = 0; b < r->reduce2; ++b) {
                    sum += from[b];
                }
            }
            *output++ =
                dimmer_clamp_s8(dimmer_requantize(sum - zero, r->multiplier, r->shift) + r->output_zero_point,
                                INT8_MIN, INT8_MAX);
        }
    }
}
