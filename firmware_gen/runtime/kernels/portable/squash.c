/* SPDX-License-Identifier: Apache-2.0 */
#include "squash.h"

/* exp(x) in Q0.15 for x <= 0 with `integer_bits` (1 to 7) integer bits. */
static int32_t exp_on_negative(int32_t x, int integer_bits) {
    /* exp(-2^k) for k = -2 .. 4 */
    static const int16_t factors[7] = {25520, 19875, 12055, 4435, 600, 11, 0};
    const int32_t exp_minus_eighth = 28918;
    const int32_t third = 10923;
    const int fraction_bits = 15 - integer_bits;
    const int32_t quarter = 1 << (fraction_bits - 2);
    const int32_t residue = (x & (quarter - 1)) - quarter;
    const int32_t rest = residue - x;
    const int32_t y = dimmer_saturating_shift_16(residue, integer_bits) + (1 << 12);
    const int32_t y2 = dimmer_high_mul_16(y, y);
    const int32_t y3 = dimmer_high_mul_16(y2, y);
    const int32_t y4 = dimmer_high_mul_16(y2, y2);
    const int32_t tail =
        dimmer_rounding_shift(dimmer_high_mul_16(dimmer_rounding_shift(y4, 2) + y3, third) + y2, 1);
    int32_t result = dimmer_saturate_16(exp_minus_eighth + dimmer_high_mul_16(exp_minus_eighth, y + tail));
    int k;

    DIMMER_ASSERT(x <= 0 && x >= INT16_MIN && integer_bits >= 1 && integer_bits <= 7);
    if (x == 0) {
        return INT16_MAX;
    }
    if (integer_bits > 5 && x < -(32 << fraction_bits)) {
        return 0;
    }
    for (k = 0; k < integer_bits + 2 && k < 7; ++k) {
        if (((rest >> (fraction_bits - 2 + k)) & 1) != 0) {
            result = dimmer_high_mul_16(result, factors[k]);
        }
    }
    return result;
}

/* 1 / (1 + x) in Q2.13 of half of it, for x in Q0.15, 0 <= x: three Newton steps. */
static int32_t reciprocal(int32_t x) {
    const int32_t half = (x + INT16_MAX + 1) >> 1;
    int32_t y = 23130 + dimmer_high_mul_16(half, -15420); /* 48/17 - 32/17 * half, Q2.13 */
    int i;

    DIMMER_ASSERT(x >= 0 && x <= INT16_MAX);
    for (i = 0; i < 3; ++i) {
        const int32_t error = (1 << 13) - dimmer_high_mul_16(half, y);

        y += dimmer_saturating_shift_16(dimmer_high_mul_16(y, error), 2);
    }
    return y;
}

int32_t dimmer_sigmoid_16(int32_t x) {
    int32_t y;

    if (x == 0) {
        return 1 << 14;
    }
    y = dimmer_saturating_shift_16(reciprocal(exp_on_negative(x > 0 ? -x : x, 3)), 1);
    return x > 0 ? y : INT16_MAX - y;
}

int32_t dimmer_tanh_16(int32_t x, int integer_bits) {
    int32_t y;

    if (x == 0) {
        return 0;
    }
    y = reciprocal(exp_on_negative(x > 0 ? -x : x, integer_bits + 1));
    y = dimmer_saturating_shift_16(y - (1 << 13), 2);
    return x > 0 ? y : -y;
}
