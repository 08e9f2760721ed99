/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loops of depthwise convolution with a kernel of 3x3: depthwise.c in C99, depthwise_thumb.c for
 * Cortex-M0+, depthwise_riscv.c. */
#ifndef DIMMER_DEPTHWISE_H
#define DIMMER_DEPTHWISE_H

#include <stddef.h>

#include "panel.h"
#include "small.h"

#define DIMMER_DEPTHWISE_TAPS 9
#define DIMMER_DEPTHWISE_RUN  4u

typedef struct {
    int32_t bias; /* and weights: DIMMER_DEPTHWISE_TIMES what they are */
    int32_t weights[DIMMER_DEPTHWISE_TAPS];
#if defined(__thumb__) && !defined(__thumb2__)
#define DIMMER_DEPTHWISE_TIMES 1
    dimmer_small_t rescale;
#else
#if defined(DIMMER_PANEL_HAS_FOUR)
#define DIMMER_DEPTHWISE_TIMES 4
#else
#define DIMMER_DEPTHWISE_TIMES 2
#endif
    dimmer_rescale_t rescale; /* its bias is 0 */
#endif
} dimmer_depthwise_channel_t;

/* A row of outputs. The struct is read by assembly. */
typedef struct {
    const int8_t *rows[3]; /* channel 0 of the first inputs of an output */
    uint32_t step;         /* channels: bytes from one input to its neighbour, and of outputs */
    const dimmer_depthwise_channel_t *channels;
    int8_t *output; /* channel 0 */
    uint32_t count; /* outputs, or those that are left */
} dimmer_depthwise_run_t;

/* All outputs, whose inputs are `stride` apart. What run points to is spent then. */
void dimmer_depthwise_row(dimmer_depthwise_run_t *run, uint32_t stride);

/* Its parts: four neighbouring outputs of every channel, whose inputs are neighbours, too; and one output of
 * every channel. */
void dimmer_depthwise_four(const dimmer_depthwise_run_t *run);
void dimmer_depthwise_one(const dimmer_depthwise_run_t *run);

#if defined(DIMMER_PANEL_HAS_FOUR)
/* And all outputs whose inputs are 1 or 2 apart. */
void dimmer_depthwise_near(const dimmer_depthwise_run_t *run);
void dimmer_depthwise_apart(const dimmer_depthwise_run_t *run);
#endif

#endif
