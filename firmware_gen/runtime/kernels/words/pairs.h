/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loop of convolution for cores that multiply words to 64 bits: the inputs of two neighbouring
 * pixels share a word, and one multiplication with a weight is two products. pairs.c. */
#ifndef DIMMER_PAIRS_H
#define DIMMER_PAIRS_H

#include <stdint.h>

#define DIMMER_PAIRS_PIXELS 4u

/* Where the second pixel of a word begins. The first one's sums are below 2^(BITS - 1), so that both can be
 * told apart in the end. */
#define DIMMER_PAIRS_BITS 23

static inline int32_t dimmer_pair_of(int32_t first, int32_t second) {
    return first + second * ((int32_t)1 << DIMMER_PAIRS_BITS);
}

/* For each of `planes` channels, with weights int32[planes,length], pixels int32[length,2], each a pair of
 * int8, and sums int32[planes,4]: the sums of products of the four pixels. planes >= 1, length >= 4 and a
 * multiple of 4. */
void dimmer_pairs(const int32_t *weights, const int32_t *pixels, uint32_t planes, uint32_t length,
                  int32_t *sums);

#endif
