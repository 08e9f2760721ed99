/* SPDX-License-Identifier: Apache-2.0 */
/* Requantising in fewer instructions than dimmer_fixed_point.h's, with the same bits, for layers whose sums
 * the generator has proven to be small. */
#ifndef DIMMER_RESCALE_H
#define DIMMER_RESCALE_H

#include "dimmer_fixed_point.h"

/* What the elements of one output channel share. */
typedef struct {
    int32_t bias; /* doubled */
    int32_t multiplier;
    int32_t start; /* half of 2^shift, and the output's zero point * 2^shift */
    int32_t shift; /* to the right */
} dimmer_rescale_t;

/* shift -22..-1, as in the tables; |bias| < 2^30. */
static inline dimmer_rescale_t dimmer_rescale_of(int32_t bias, int32_t multiplier, int shift,
                                                 int32_t zero_point) {
    DIMMER_ASSERT(shift >= -22 && shift <= -1 && multiplier >= 0);
    DIMMER_ASSERT(bias > -((int32_t)1 << 30) && bias < (int32_t)1 << 30);
    const int32_t half = (int32_t)1 << (-shift - 1);
    const dimmer_rescale_t rescale = {2 * bias, multiplier, half + zero_point * 2 * half, -shift};

    return rescale;
}

/* The upper word of a * b + rounding * 2^16, from products of 32 bits: for cores that have no others. b >= 0.
 */
static inline int32_t dimmer_upper_of_halves(int32_t a, int32_t b, uint32_t rounding) {
    const uint32_t a_low = (uint32_t)a & 0xFFFFu;
    const int32_t a_high = a >> 16;
    const uint32_t b_low = (uint32_t)b & 0xFFFFu;
    const int32_t b_high = b >> 16;
    const int32_t middle = a_high * (int32_t)b_low + (int32_t)((a_low * b_low) >> 16);
    const uint32_t carry = ((uint32_t)middle & 0xFFFFu) + a_low * (uint32_t)b_high + rounding;

    return a_high * b_high + (middle >> 16) + (int32_t)(carry >> 16);
}

/* Before the clamp. `doubled` is twice the sum, bias included, whose absolute value is below 2^30. The sign
 * decides which way a half is rounded; where the sum is negative and its product rounds to 0, both ways lead
 * to 0. */
static inline int32_t dimmer_rescale(int32_t doubled, int32_t multiplier, int32_t start, int32_t shift) {
    const int32_t signed_start = start + (doubled < 0 ? -1 : 0);
#if defined(__thumb__) && !defined(__thumb2__)
    return (signed_start + dimmer_upper_of_halves(doubled, multiplier, 0x8000u)) >> shift;
#elif defined(__riscv) && __riscv_xlen == 32
    /* Bit 31 of the product rounds, which takes no carry from one word to the other. */
    const int32_t high = (int32_t)(((int64_t)doubled * multiplier) >> 32);
    const uint32_t low = (uint32_t)doubled * (uint32_t)multiplier;

    return (signed_start + high + (int32_t)(low >> 31)) >> shift;
#else
    int64_t sum = (int64_t)((uint64_t)(uint32_t)signed_start << 32 | 0x80000000u);

    sum += (int64_t)doubled * multiplier;
    return (int32_t)(sum >> 32) >> shift;
#endif
}

/* Before the clamp: one rounding, where the generator has proven that it gives what the layer's own
 * arithmetic does. start holds half of 2^shift and the output's zero point * 2^shift; multiplier >= 0,
 * |start| and |x| below 2^30. */
static inline int32_t dimmer_rescale_fixed(int32_t x, int32_t multiplier, int32_t start, int32_t shift) {
#if defined(__thumb__) && !defined(__thumb2__)
    return (start + dimmer_upper_of_halves(x, multiplier, 0u)) >> shift;
#else
    int64_t sum = (int64_t)((uint64_t)(uint32_t)start << 32);

    sum += (int64_t)x * multiplier;
    return (int32_t)(sum >> 32) >> shift;
#endif
}

#endif
