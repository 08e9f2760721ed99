/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loop of fully connected for cores that multiply word by word: the input is widened to int32 once,
 * weights are read from flash as they are. dense_words.c. */
#ifndef DIMMER_DENSE_WORDS_H
#define DIMMER_DENSE_WORDS_H

#include <stdint.h>

/* sums[i] += sum over k < count of weights[i * count + k] * x[k], i < 4. count and weights are multiples
 * of 4. */
void dimmer_dense_words(const int32_t *x, const int8_t *weights, uint32_t count, int32_t sums[4]);

#endif
