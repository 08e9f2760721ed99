/* SPDX-License-Identifier: Apache-2.0 */
/* Depthwise convolution 3x3 for Arm cores with the DSP extension: of four channels at a time, two
 * neighbouring columns of each share a word, widened to int16, rows padded. Two outputs take eight products a
 * row of the kernel.
 */
#ifndef DIMMER_PLANES_H
#define DIMMER_PLANES_H

#include "dimmer_kernels.h"

#define DIMMER_PLANES_CHANNELS 4u
#define DIMMER_PLANES_WORDS    8u /* that dimmer_planes_rows wants of a channel */

/* What dimmer_planes_rows works on. The order is that of its frame on the stack. */
typedef struct {
    const int32_t *row; /* of the first channel, at a multiple of 16 bytes; word 4 * j has columns 2 * j and
                           2 * j + 1 */
    uint32_t row_bytes;
    uint32_t block_bytes;    /* of a row's outputs in fours */
    uint32_t row_step;       /* bytes from the end of a window's row to the beginning of the one below */
    const int32_t *rows_end; /* where `row` is behind the last row */
    uint32_t rest;           /* outputs of a row beside those in fours */
    uint32_t next;           /* bytes between neighbouring outputs */
    uint32_t below;          /* from behind a row of outputs to the one below */
    int8_t *output;
    /* Of each channel: for each row of the kernel weights 0 and 1, then 1 and 2, times 256; offset;
     * multiplier.
     */
    const int32_t *constants;
} dimmer_planes_t;

/* Rows of outputs of four channels, steps of one column. */
void dimmer_planes_rows(const dimmer_planes_t *work);

/* The same for steps of two columns. */
void dimmer_planes_rows_2(const dimmer_planes_t *work);

/* The words of weights of four channels. A tap's weights lie side by side, those of taps of a row of the
 * kernel `along` bytes from each other, rows `across`. */
void dimmer_planes_weights(const int8_t *weights, uint32_t along, uint32_t across, int32_t *constants);

/* Rows of a plane. Each begins with a pair of padding and an element where `odd` is 1, has `body` pairs of
 * elements, one of an element and padding where `last` is 1, and `after` pairs of padding. The order is that
 * of the frame on the stack. */
typedef struct {
    const int8_t *input; /* four channels of the first element */
    uint32_t step;       /* bytes between elements of a row */
    uint32_t body;
    uint32_t odd;
    uint32_t last;
    uint32_t after;
    int32_t zero;  /* four elements of padding */
    int32_t zeros; /* two of them, widened */
    uint32_t skip; /* bytes from behind a row's last element to the next row */
} dimmer_planes_fill_t;

/* Fills `count` rows, at least one. */
void dimmer_planes_fill(const dimmer_planes_fill_t *work, uint32_t count, int32_t *to);

#endif
