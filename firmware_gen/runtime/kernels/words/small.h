/* SPDX-License-Identifier: Apache-2.0 */
/* Requantising without a product of more than 32 bits, for sums below 2^20: the multiplier in three parts.
 * With the same bits as dimmer_fixed_point.h's. */
#ifndef DIMMER_SMALL_H
#define DIMMER_SMALL_H

#include "../common/rescale.h"

/* What the elements of one output channel share. */
typedef struct {
    int32_t lowest;  /* bits 0 to 10 of the multiplier */
    int32_t middle;  /* 11 to 20 */
    int32_t highest; /* 21 to 30 */
    int32_t start; /* half of 2^shift, a half for the first rounding, and the output's zero point * 2^shift */
    int32_t shift; /* to the right */
} dimmer_small_t;

/* shift -11..-1, as in the tables. */
static inline dimmer_small_t dimmer_small_of(int32_t multiplier, int shift, int32_t zero_point) {
    DIMMER_ASSERT(shift >= -11 && shift <= -1 && multiplier >= 0);
    const int32_t half = (int32_t)1 << (9 - shift);
    const dimmer_small_t small = {multiplier & 0x7FF, (multiplier >> 11) & 0x3FF, multiplier >> 21,
                                  half + 512 + zero_point * 2 * half, 10 - shift};

    return small;
}

/* Before the clamp; |sum| below 2^20. The upper 1024ths of sum * multiplier / 2^31 are exact. TFLite rounds
 * them to whole numbers, halves up, and what is negative then so that halves go down: 1024 less for the
 * second rounding. */
static inline int32_t dimmer_small(int32_t sum, const dimmer_small_t *small) {
    const int32_t low = (sum * small->lowest) >> 11;
    const int32_t middle = (low + sum * small->middle) >> 10;

    return (sum * small->highest + middle + small->start - (sum < 0 ? 1024 : 0)) >> small->shift;
}

/* A sum of any size to what dimmer_small takes. What is beyond leads to a code beyond those of int8 as well,
 * if the multiplier is at least 2^30: 2^20 * 2^30 * 2^(-11 - 31) is 256. */
static inline int32_t dimmer_small_saturated(int32_t sum) {
    const int32_t limit = ((int32_t)1 << 20) - 1;

    return sum > limit ? limit : sum < -limit - 1 ? -limit - 1 : sum;
}

#endif
