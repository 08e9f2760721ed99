/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loop of fully connected for Arm cores with the DSP extension: the input is widened to int16 once,
 * weights are read from flash, two channels in a halfword. */
#ifndef DIMMER_DENSE_H
#define DIMMER_DENSE_H

#include <stdint.h>

/* Bytes 0 and 2, then 1 and 3 of every four, as pairs of int16; count is a multiple of 4. Gives the end of
 * `to`. */
void dimmer_widen_row(const int8_t *from, uint32_t count, int32_t *to);

/* What dimmer_dense_pairs works on. The order is that of its frame on the stack. */
typedef struct {
    const int32_t *x; /* 8 inputs, widened, or a multiple of it */
    const int32_t *x_end;
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *scales; /* multiplier, start and shift of dimmer_rescale_fixed */
    uint32_t step;         /* bytes from a channel's scale to the next one's */
    int8_t *output;
    uint32_t pairs;
} dimmer_dense_t;

/* Pairs of channels, at least one: sums of products of weights and the widened input, rescaled and saturated.
 * weights hold 256 * (those of the first) + (those of the second) as int16, in the order of the input's
 * halfwords. */
void dimmer_dense_pairs(const dimmer_dense_t *work);

#endif
