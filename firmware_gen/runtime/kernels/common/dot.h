/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loops of convolution, dot.c in C99 and dot_dsp.c for Arm cores with the DSP extension, and of
 * fully connected, dot_row.c. */
#ifndef DIMMER_DOT_H
#define DIMMER_DOT_H

#include <stdint.h>

/* sums[2 * i + j] += sum over k < count of a_i[k] * b_j[k] */
void dimmer_dot_2x2(const int8_t *a0, const int8_t *a1, const int8_t *b0, const int8_t *b1, uint32_t count,
                    int32_t sums[4]);

/* sums[i] += sum over k < count of weights[i * count + k] * x[k] */
void dimmer_dot_1x4(const int8_t *weights, const int8_t *x, uint32_t count, int32_t sums[4]);

#endif
