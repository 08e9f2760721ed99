/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loop of depthwise convolution: walk.c in C99, walk_dsp.c for Arm cores with the DSP extension. */
#ifndef DIMMER_WALK_H
#define DIMMER_WALK_H

#include <stddef.h>
#include <stdint.h>

/* A rectangle of a window: `rows` times as many elements as it takes to walk `length` bytes of weights.
 * Steps are in bytes; those of the padding, which is one element again and again, are 0. */
typedef struct {
    size_t step;         /* between elements of a row of the input */
    size_t next_row;     /* between rows of the input */
    size_t channels;     /* between elements of a row of the weights */
    size_t next_weights; /* between rows of the weights */
    size_t length;
    size_t rows;
} dimmer_walk_t;

/* sums[i] += sum over the rectangle of x[i] * weights[i], for four neighbouring channels */
void dimmer_walk_four(const dimmer_walk_t *walk, const int8_t *x, const int8_t *weights, int32_t sums[4]);

#endif
