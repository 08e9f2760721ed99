/* SPDX-License-Identifier: Apache-2.0 */
/* TFLite's reference fixed-point arithmetic, bit for bit (double rounding, as gemmlowp defines it).
 *
 * Right shifts of negative numbers are arithmetic in every compiler that this library is built
 * with; tests/firmware_gen/runtime/test_fixed_point.py checks it.
 */
#ifndef DIMMER_FIXED_POINT_H
#define DIMMER_FIXED_POINT_H

#include <stdint.h>

#include "dimmer_assert.h"

/* round(a * b / 2^31), halves up; gemmlowp's SaturatingRoundingDoublingHighMul for all arguments
 * but a == b == INT32_MIN, which no multiplier of TFLite is. */
static inline int32_t dimmer_high_mul(int32_t a, int32_t b) {
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}

/* round(x / 2^exponent), halves away from zero; exponent 0..62. For any x, but INT32_MIN up to 32 alone.
 */
static inline int32_t dimmer_rounding_shift(int32_t x, int exponent) {
    DIMMER_ASSERT(exponent >= 0 && exponent <= 62 && (x != INT32_MIN || exponent <= 32));
    const uint32_t mask = (uint32_t)(((uint64_t)1 << exponent) - 1u);
    const uint32_t threshold = (mask >> 1) + (x < 0 ? 1u : 0u);

    return (int32_t)((int64_t)x >> exponent) + (((uint32_t)x & mask) > threshold ? 1 : 0);
}

/* x * multiplier * 2^(shift - 31); multiplier 0..INT32_MAX, shift -31..30.
 * TFLite's MultiplyByQuantizedMultiplier. */
static inline int32_t dimmer_requantize(int32_t x, int32_t multiplier, int shift) {
    int32_t high;

    DIMMER_ASSERT(multiplier >= 0 && shift >= -31 && shift <= 30);
    if (shift >= 0) {
        return dimmer_high_mul((int32_t)((uint32_t)x << shift), multiplier);
    }
    high = dimmer_high_mul(x, multiplier);
    /* Shorter than dimmer_rounding_shift, and safe: |high| < INT32_MAX, because multiplier < 2^31. */
    high -= high < 0 ? 1 : 0;
    return ((high >> (-shift - 1)) + 1) >> 1;
}

/* round(x * scale), halves away from zero, after the product was rounded to IEEE double as a processor
 * with doubles would; without any. scale holds the low and the high word of a double that is above 0 and
 * not subnormal. |x| < 2^31. Saturates at +-2^30. */
static inline int32_t dimmer_scale_in_double(int32_t x, const int32_t scale[2]) {
    const uint32_t magnitude = x < 0 ? 0u - (uint32_t)x : (uint32_t)x;
    const uint32_t exponent = ((uint32_t)scale[1] >> 20) & 0x7FFu;
    const uint64_t low = (uint64_t)(uint32_t)scale[0] * magnitude;
    /* The product of the significand and x is high * 2^32 + the lower word of low, at most 84 bits. */
    const uint64_t high = (uint64_t)(((uint32_t)scale[1] & 0xFFFFFu) | 0x100000u) * magnitude + (low >> 32);
    const uint32_t tail = (uint32_t)low;
    uint32_t excess = (uint32_t)(high >> 21); /* what is above 53 bits */
    int dropped = 0;
    int shift;
    uint64_t significand = high << 32 | tail;
    int32_t result;

    for (; excess != 0u; excess >>= 1) {
        ++dropped;
    }
    if (dropped > 0) {
        const uint32_t half = (uint32_t)1 << (dropped - 1);
        const uint32_t rest = tail & (half + (half - 1u));

        significand = high << (32 - dropped) | tail >> dropped;
        /* To nearest, halves to even. */
        if (rest > half || (rest == half && (significand & 1u) != 0u)) {
            ++significand;
        }
    }
    shift = 1075 - (int)exponent - dropped;
    if (magnitude == 0u || shift > 54) {
        return 0;
    }
    if (shift < 23) {
        result = (int32_t)1 << 30;
    } else {
        result = (int32_t)((significand + ((uint64_t)1 << (shift - 1))) >> shift);
    }
    return x < 0 ? -result : result;
}

/* low <= high, both in the range of int8. */
static inline int8_t dimmer_clamp_s8(int32_t x, int32_t low, int32_t high) {
    DIMMER_ASSERT(low >= INT8_MIN && low <= high && high <= INT8_MAX);
    /* One comparison where x is inside, as most are. */
    if ((uint32_t)x - (uint32_t)low > (uint32_t)(high - low)) {
        x = x < low ? low : high;
    }
    return (int8_t)x;
}

/* round(x * 2^exponent) saturated to 32 bits; exponent 1..30. */
static inline int32_t dimmer_saturating_shift_left(int32_t x, int exponent) {
    DIMMER_ASSERT(exponent >= 1 && exponent <= 30);
    const int32_t limit = (int32_t)((1u << (31 - exponent)) - 1u);

    if (x > limit) {
        return INT32_MAX;
    }
    if (x < -limit) {
        return INT32_MIN;
    }
    return (int32_t)((uint32_t)x << exponent);
}

/* exp(x) in Q0.31 for x <= 0 with `integer_bits` (4 or 5) integer bits; gemmlowp's polynomial. */
static inline int32_t dimmer_exp_on_negative(int32_t x, int integer_bits) {
    /* exp(-2^k) for k = -2 .. 4 */
    static const int32_t factors[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    const int32_t exp_minus_eighth = 1895147668;
    const int32_t third = 715827883;
    const int fraction_bits = 31 - integer_bits;
    const int32_t quarter = (int32_t)1 << (fraction_bits - 2);
    const int32_t residue = (int32_t)((uint32_t)x & (uint32_t)(quarter - 1)) - quarter;
    const uint32_t rest = (uint32_t)residue - (uint32_t)x;
    const int32_t y = dimmer_saturating_shift_left(residue, integer_bits) + ((int32_t)1 << 28);
    const int32_t y2 = dimmer_high_mul(y, y);
    const int32_t y3 = dimmer_high_mul(y2, y);
    const int32_t y4 = dimmer_high_mul(y2, y2);
    const int32_t tail =
        dimmer_rounding_shift(dimmer_high_mul(dimmer_rounding_shift(y4, 2) + y3, third) + y2, 1);
    int32_t result = exp_minus_eighth + dimmer_high_mul(exp_minus_eighth, y + tail);
    int k;

    DIMMER_ASSERT(x <= 0 && (integer_bits == 4 || integer_bits == 5));
    if (x == 0) {
        return INT32_MAX;
    }
    for (k = 0; k < integer_bits + 2; ++k) {
        if ((rest >> (fraction_bits - 2 + k)) & 1u) {
            result = dimmer_high_mul(result, factors[k]);
        }
    }
    return result;
}

/* 1 / (1 + x) in Q0.31 for x in Q0.31, 0 <= x < 1; three Newton steps, as gemmlowp does. */
static inline int32_t dimmer_reciprocal_of_one_plus(int32_t x) {
    const int32_t half = (int32_t)(((int64_t)x + INT32_MAX + 1) >> 1);
    int32_t y = 1515870810 + dimmer_high_mul(half, -1010580540); /* 48/17 - 32/17 * half, Q2.29 */
    int i;

    DIMMER_ASSERT(x >= 0);
    for (i = 0; i < 3; ++i) {
        const int32_t error = ((int32_t)1 << 29) - dimmer_high_mul(half, y);
        y += dimmer_saturating_shift_left(dimmer_high_mul(y, error), 2);
    }
    return dimmer_saturating_shift_left(y, 1);
}

#endif
