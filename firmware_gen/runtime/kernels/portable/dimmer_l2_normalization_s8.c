/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_fixed_point.h"
#include "dimmer_kernels.h"
#include "../common/require.h"

/* A product of Q0.31 numbers, rounded; halves of negative ones towards zero, as TFLite does. */
static int32_t product(int32_t a, int32_t b) {
    const int64_t ab = (int64_t)a * b;

    return (int32_t)((ab + (ab >= 0 ? (int64_t)1 << 30 : 1 - ((int64_t)1 << 30))) / ((int64_t)1 << 31));
}

static int32_t saturated(int64_t x) {
    return x > INT32_MAX ? INT32_MAX : x < INT32_MIN ? INT32_MIN : (int32_t)x;
}

/* 1 / sqrt(x) as a multiplier and a shift (positive = left), x >= 0: TFLite's Newton-Raphson. */
static int32_t inverse_root(int32_t x, int *shift) {
    int32_t guess = (int32_t)1 << 28;
    int32_t half;
    int right = 11;
    int i;

    *shift = 0;
    if (x <= 1) {
        return INT32_MAX;
    }
    for (; x >= (int32_t)1 << 29; ++right) {
        x /= 4;
    }
    /* Two bits at a time, up to the 28th or 29th. */
    for (; x < (int32_t)1 << 27; --right) {
        x *= 4;
    }
    half = ((x >> 1) + 1) >> 1;
    for (i = 0; i < 5; ++i) {
        const int32_t cube = saturated((int64_t)product(product(guess, guess), guess) * 64);

        guess = saturated(((int64_t)product((int32_t)3 << 27, guess) - product(half, cube)) * 8);
    }
    guess = product(guess, 1518500250);
    if (right < 0) {
        guess *= (int32_t)1 << -right;
        right = 0;
    }
    *shift = -right;
    return guess;
}

void dimmer_l2_normalization_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_l2_normalization_s8_t *r = (const dimmer_l2_normalization_s8_t *)record;
    const int8_t *input = (const int8_t *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    uint32_t row;
    uint32_t i;

    DIMMER_ASSERT(r->depth < 1u << 15);
    (void)model;
    for (row = 0; row < r->rows; ++row, input += r->depth, output += r->depth) {
        int32_t sum = 0;
        int32_t multiplier;
        int shift;

        for (i = 0; i < r->depth; ++i) {
            const int32_t x = input[i] - r->input_zero_point;

            sum += x * x;
        }
        multiplier = inverse_root(sum, &shift);
        for (i = 0; i < r->depth; ++i) {
            output[i] = dimmer_clamp_s8(
                dimmer_requantize(input[i] - r->input_zero_point, multiplier, shift + 7), INT8_MIN, INT8_MAX);
        }
    }
}
