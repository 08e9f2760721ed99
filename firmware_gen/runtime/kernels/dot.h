/* The inner loop that convolution and fully connected share: dot.c in C99, dot_dsp.c for Arm cores with
 * the DSP extension. */
#ifndef DIMMER_DOT_H
#define DIMMER_DOT_H

#include <stdint.h>

/* sums[2 * i + j] += sum over k < count of a_i[k] * b_j[k] */
void dimmer_dot_2x2(const int8_t *a0, const int8_t *a1, const int8_t *b0, const int8_t *b1, uint32_t count,
                    int32_t sums[4]);

#endif
