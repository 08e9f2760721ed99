/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loop of fully connected for Arm cores with the DSP extension: the input is widened to int16 once,
 * weights are read from flash, two channels in a halfword. */
#ifndef DIMMER_DENSE_H
#define DIMMER_DENSE_H

#include <stdint.h>

/* Bytes 0 and 2, then 1 and 3 of every four, as pairs of int16; count is a multiple of 4. Gives the end of
 * `to`. */
void dimmer_widen_row(const int8_t *from, uint32_t count, int32_t *to);

/* sums[i] += sum of products of a channel's weights and the widened input, for two channels. weights hold 256
 * * (those of the first) + (those of the second) as int16, in the order of the input's halfwords; there are 8
 * products a channel or a multiple of it. */
void dimmer_dense_pair(const int32_t *x, const int32_t *x_end, const int8_t *weights, int32_t sums[2]);

#endif
