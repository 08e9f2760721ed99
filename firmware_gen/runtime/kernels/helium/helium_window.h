/* SPDX-License-Identifier: Apache-2.0 */
/* Depthwise convolution for Arm cores with Helium: the inner loops.
 *
 * A window of up to 4x4 inputs of one channel is one vector, and its weights are another: one VMLADAV adds up
 * an output. To this end inputs are kept column by column, channel by channel, in words of the four rows
 * under the window: a window is four words, a column's bytes apart, that one load gathers.
 */
#ifndef DIMMER_HELIUM_WINDOW_H
#define DIMMER_HELIUM_WINDOW_H

#include <stdint.h>

/* What the assembly reads; offsets are fixed. */
typedef struct {
    const int8_t *weights;  /* 0: of the first channel */
    const int8_t *columns;  /* 4: the first window's first column, at the first channel */
    const int32_t *rescale; /* 8: of each channel four times the bias, multiplier, shift */
    int8_t *output;         /* 12 */
    int32_t zero_point;     /* 16: of the output */
    uint32_t channels;      /* 20: or pairs of them */
    uint32_t stored;        /* 24: two bits for each of the eight results */
    uint32_t turns;         /* 28: side by side */
    uint16_t places[8];     /* 32: of the results, from the output on */
    uint32_t gather[4]
                   [4]; /* 48: where the words of up to four windows lie, from the first one's columns on */
    uint32_t columns_step;      /* 112: from a turn to the next */
    uint32_t output_step;       /* 116 */
    uint32_t columns_step_last; /* 120: to the last turn, which does some windows again */
    uint32_t output_step_last;  /* 124 */
} dimmer_window_t;

/* Four rows of `inputs` columns, and where their words go; offsets are fixed. */
typedef struct {
    const int8_t *rows[4]; /* 0 */
    uint32_t steps[4];     /* 16: to the next input of each, in bytes */
    int8_t *to;            /* 32 */
    uint32_t column;       /* 36: bytes of a column */
    uint32_t inputs;       /* 40: >= 1 */
    uint32_t channels;     /* 44: 1..16; words of 16 are written */
} dimmer_columns_t;

/* Turns four rows into columns of words. */
void dimmer_window_columns(const dimmer_columns_t *columns);

/* Bytes of a channel's weights. A pair has those of a window in the upper rows, behind a column of 0 and
 * before another one, and then those of one in the lower rows. */
#define DIMMER_PAIR_WEIGHTS   40u
#define DIMMER_SINGLE_WEIGHTS 16u
#define DIMMER_WINDOW_RESCALE 6u /* words of a channel's bias, multiplier, shift */

/* Turns of windows of up to 3x3 one column apart: four in one row, four in the next, of `channels` channels;
 * results are those of a column, then of the next. gather[0] is of the first two columns, gather[1] of the
 * next two. */
void dimmer_window_pairs(dimmer_window_t *window);

/* Turns of four windows of up to 4x4, of 2 * `channels` channels; results are those of two channels, then of
 * the next window. */
void dimmer_window_singles(dimmer_window_t *window);

/* The same where no result below the output's zero point is kept: halves of negative numbers need no care. */
void dimmer_window_pairs_relu(dimmer_window_t *window);
void dimmer_window_singles_relu(dimmer_window_t *window);

#endif
