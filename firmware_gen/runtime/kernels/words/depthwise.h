/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loops of depthwise convolution with a kernel of 3x3: depthwise.c in C99, depthwise_thumb.c for Cortex-M0+,
 * depthwise_riscv.c. */
#ifndef DIMMER_DEPTHWISE_H
#define DIMMER_DEPTHWISE_H

#include <stddef.h>

#include "small.h"

#define DIMMER_DEPTHWISE_TAPS 9
#define DIMMER_DEPTHWISE_RUN  4u

typedef struct {
    int32_t bias; /* not doubled */
    int32_t weights[DIMMER_DEPTHWISE_TAPS];
#if defined(__thumb__) && !defined(__thumb2__)
    dimmer_small_t rescale;
#else
    dimmer_rescale_t rescale; /* its bias is 0 */
#endif
} dimmer_depthwise_channel_t;

typedef struct {
    const int8_t *rows[3]; /* channel 0 of the first inputs of an output */
    uint32_t step;         /* channels: bytes from one input to its neighbour, and of outputs */
    const dimmer_depthwise_channel_t *channels;
    int8_t *output; /* channel 0 */
} dimmer_depthwise_run_t;

/* Four neighbouring outputs of every channel, whose inputs are neighbours, too. */
void dimmer_depthwise_four(const dimmer_depthwise_run_t *run);

/* One output of every channel. */
void dimmer_depthwise_one(const dimmer_depthwise_run_t *run);

#endif
