/* SPDX-License-Identifier: Apache-2.0 */
#include "wide.h"

static int32_t leading_zeros(uint32_t x) {
    int32_t count = 0;

    for (; x < 0x80000000u; x <<= 1) {
        ++count;
    }
    return count;
}

static void row_of(const dimmer_model_t *model, const dimmer_softmax_s16_t *r, const int16_t *input,
                   int16_t *output) {
    int32_t largest = INT16_MIN;
    int32_t sum = 0; /* in 1/32768, at least one of them */
    int32_t zeros;
    int32_t reciprocal;
    uint32_t i;

    for (i = 0; i < r->depth; ++i) {
        largest = input[i] > largest ? input[i] : largest;
    }
    for (i = 0; i < r->depth; ++i) {
        const int32_t x = dimmer_requantize(input[i] - largest, r->multiplier, r->shift) + INT16_MAX;

        output[i] = (int16_t)dimmer_between(model->params + r->exponentials,
                                            dimmer_clamp_s16(x, INT16_MIN, INT16_MAX));
        sum += output[i];
    }
    zeros = leading_zeros((uint32_t)sum);
    reciprocal = (int32_t)((((int64_t)sum << (zeros - 1)) + (1 << 13)) >> 14) - (1 << 15) - (1 << 16);
    reciprocal =
        dimmer_between(model->params + r->reciprocals, dimmer_clamp_s16(reciprocal, INT16_MIN, INT16_MAX));
    for (i = 0; i < r->depth; ++i) {
        const int right = 31 - (int)zeros;
        const int32_t x = (int32_t)(((int64_t)output[i] * reciprocal + (1 << (right - 1))) >> right);

        output[i] = dimmer_clamp_s16(x, 0, INT16_MAX);
    }
}

void dimmer_softmax_s16(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_softmax_s16_t *r = (const dimmer_softmax_s16_t *)record;
    const int16_t *input = dimmer_wide_input(arena, r->input);
    int16_t *output = dimmer_wide_output(arena, r->output);
    uint32_t row;

    for (row = 0; row < r->rows; ++row, input += r->depth, output += r->depth) {
        row_of(model, r, input, output);
    }
}
