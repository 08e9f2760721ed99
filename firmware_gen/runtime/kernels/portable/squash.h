/* SPDX-License-Identifier: Apache-2.0 */
/* Sigmoid and tanh of 16 bits, bit for bit as gemmlowp computes them, which TFLite's LSTM does with. */
#ifndef DIMMER_SQUASH_H
#define DIMMER_SQUASH_H

#include "dimmer_fixed_point.h"

/* round(a * b / 2^15), halves up; both within 16 bits, not both the lowest. */
static inline int32_t dimmer_high_mul_16(int32_t a, int32_t b) {
    DIMMER_ASSERT(a != INT16_MIN || b != INT16_MIN);
    return (a * b + (1 << 14)) >> 15;
}

static inline int32_t dimmer_saturate_16(int32_t x) {
    return x > INT16_MAX ? INT16_MAX : x < INT16_MIN ? INT16_MIN : x;
}

/* x * 2^bits within 16 bits; x is. */
static inline int32_t dimmer_saturating_shift_16(int32_t x, int bits) {
    return dimmer_saturate_16(x * (1 << bits));
}

/* 1 / (1 + exp(-x)) in Q0.15 for x in Q3.12. */
int32_t dimmer_sigmoid_16(int32_t x);

/* tanh(x) in Q0.15 for x with `integer_bits` (0 to 6) integer bits. */
int32_t dimmer_tanh_16(int32_t x, int integer_bits);

#endif
