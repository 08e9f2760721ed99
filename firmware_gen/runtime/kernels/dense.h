/* The inner loop of fully connected for Arm cores with the DSP extension: the input is widened to int16 once,
 * weights are read from flash as they are. */
#ifndef DIMMER_DENSE_H
#define DIMMER_DENSE_H

#include <stdint.h>

/* Bytes 0 and 2, then 1 and 3 of every four, as pairs of int16; count is a multiple of 4. Gives the end of
 * `to`. */
void dimmer_widen_row(const int8_t *from, uint32_t count, int32_t *to);

/* sums[i] += sum of products of a row of weights, which lies at a multiple of 4, and the widened input; there
 * are 8 products or a multiple of it. */
void dimmer_dense_pair(const int32_t *x, const int32_t *x_end, const int8_t *weights0, const int8_t *weights1,
                       int32_t sums[2]);

#endif
