/* SPDX-License-Identifier: Apache-2.0 */
/* Products, roots, logarithms and powers in integers, the same bits on every core. */
#ifndef DIMMER_FEATURES_FIXED_H
#define DIMMER_FEATURES_FIXED_H

#include <stdint.h>

/* Of firmware_gen/features/curves.py, which writes curves.c. */
extern const uint16_t dimmer_curve_root[97];
extern const uint16_t dimmer_curve_log2[129];
extern const uint16_t dimmer_curve_exp2[129];

/* floor(x * w / 2^16), where w is the lower half of a word. */
static inline int32_t mul_low(int32_t x, int32_t w) {
#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
    int32_t product;

    __asm__("smulwb %0, %1, %2" : "=r"(product) : "r"(x), "r"(w));
    return product;
#elif defined(__thumb__) && !defined(__thumb2__)
    /* Without a product of 64 bits. Neither part overflows. */
    return (x >> 16) * (int16_t)w + (((x & 0xffff) * (int16_t)w) >> 16);
#else
    return (int32_t)(((int64_t)x * (int32_t)((uint32_t)w << 16)) >> 32);
#endif
}

/* The same with the upper half. */
static inline int32_t mul_high(int32_t x, int32_t w) {
#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
    int32_t product;

    __asm__("smulwt %0, %1, %2" : "=r"(product) : "r"(x), "r"(w));
    return product;
#elif defined(__thumb__) && !defined(__thumb2__)
    return (x >> 16) * (w >> 16) + (((x & 0xffff) * (w >> 16)) >> 16);
#else
    return (int32_t)(((int64_t)x * (int32_t)((uint32_t)w & 0xffff0000u)) >> 32);
#endif
}

/* floor(x * w / 2^16). */
static inline uint32_t mul_share(uint32_t x, uint16_t w) {
#if defined(__thumb__) && !defined(__thumb2__)
    return (x >> 16) * w + (((x & 0xffffu) * w) >> 16);
#else
    return (uint32_t)(((uint64_t)x * w) >> 16);
#endif
}

/* Zeros above the highest one of x, which is not 0. */
static inline int leading_zeros(uint32_t x) {
#if defined(__GNUC__) && (!defined(__thumb__) || defined(__thumb2__)) && !defined(__riscv)
    return __builtin_clz(x);
#else
    int count = 0;
    int half;

    for (half = 16; half > 0; half >>= 1) {
        if (x >> (32 - half) == 0u) {
            x <<= half;
            count += half;
        }
    }
    return count;
#endif
}

/* Between two entries of a curve: index and 16 bits of the way to the next. */
static inline uint32_t on_curve(const uint16_t *curve, uint32_t index, uint32_t way) {
    const uint32_t low = curve[index];

    return low + (((curve[index + 1u] - low) * way) >> 16);
}

/* sqrt(x), wrong by less than 2^-13.8 of it. */
static inline uint32_t root_of(uint64_t x) {
    const uint32_t high = (uint32_t)(x >> 32);
    const uint32_t low = (uint32_t)x;
    int shift;
    uint32_t top;

    /* The two words apart: a shift of 64 bits by a variable is long where registers have 32. */
    if (high != 0u) {
        shift = leading_zeros(high) & ~1;
        top = high << shift | low >> 1 >> (31 - shift);
    } else if (low != 0u) {
        shift = leading_zeros(low) & ~1;
        top = low << shift;
        shift += 32;
    } else {
        return 0u;
    }
    return (on_curve(dimmer_curve_root, (top >> 25) - 32u, (top >> 9) & 0xffffu) << 16) >> (shift / 2);
}

/* log2(x), Q16, wrong by less than 2^-14.9; x is not 0. */
static inline int32_t log2_of(uint64_t x) {
    const uint32_t high = (uint32_t)(x >> 32);
    int shift = high != 0u ? leading_zeros(high) : 32 + leading_zeros((uint32_t)x);
    const uint32_t top = (uint32_t)((x << shift) >> 32);

    return (63 - shift) * 65536 +
           (int32_t)on_curve(dimmer_curve_log2, (top >> 24) & 0x7fu, (top >> 8) & 0xffffu);
}

/* 2^x, of Q16, at most 2^31; 0 below 2^-1. */
static inline uint32_t exp2_of(int32_t x) {
    const int32_t whole = x >> 16;
    const uint32_t rest = (uint32_t)x & 0xffffu;

    if (whole >= 31) {
        return (uint32_t)1 << 31;
    }
    if (whole < 0) {
        return 0u;
    }
    /* 2^rest - 1, Q16. */
    return (uint32_t)(((uint64_t)(65536u + on_curve(dimmer_curve_exp2, rest >> 9, (rest & 0x1ffu) << 7))
                       << whole) >>
                      16);
}

#endif
