/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loop of convolution where two terms of a sum share a word: a word of inputs is x0 + x1 * 2^16,
 * one of weights w1 + w0 * 2^16, and the upper half of their product, modulo 2^32, is x0 * w0 + x1 * w1 once
 * the product x0 * w1 below it is rounded away. So one multiplication of words is two products. pairs.c,
 * pairs_riscv.c. */
#ifndef DIMMER_PAIRS_H
#define DIMMER_PAIRS_H

#include "panel.h"

#define DIMMER_PAIRS_PIXELS DIMMER_PANEL_PIXELS

/* |first| and |second| at most 128. */
static inline int32_t dimmer_pair_of(int32_t first, int32_t second) {
    return first + second * 65536;
}

/* The two products of two words, the one below them rounded away. */
static inline int32_t dimmer_pair_product(int32_t weights, int32_t inputs) {
    return (int32_t)((uint32_t)weights * (uint32_t)inputs + 0x8000u) >> 16;
}

/* For each of `planes` channels, with weights int32[planes,length], pixels int32[length,4] and sums
 * int32[planes,4]:
 *   sums[p,j] = sum over k < length of (weights[p,k] * pixels[k,j] + 2^15) >> 16, each modulo 2^32
 * planes >= 1, length >= 4 and a multiple of 4. No weight is -128: two products would not fit. */
void dimmer_pairs(const int32_t *weights, const int32_t *pixels, uint32_t planes, uint32_t length,
                  int32_t *sums);

#if defined(DIMMER_PANEL_HAS_FOUR)
/* Four channels, pairs_riscv.c; `end` is that of the first one's weights. */
void dimmer_pairs_four(const int32_t *weights, const int32_t *pixels, const int32_t *end, int32_t *sums);
#endif

#endif
