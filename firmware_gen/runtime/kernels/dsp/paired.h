/* SPDX-License-Identifier: Apache-2.0 */
/* Convolution for Arm cores with the DSP extension whose weights lie in flash two channels in a halfword: 256
 * * (those of the first) + (those of the second). One SMLAD adds up both, a second one the second alone; the
 * first is what is left.
 *
 * Sums are scaled by 256, and one product and a shift rescale them: the generator has proven that every code
 * begins at the sum where it does in TFLite.
 */
#ifndef DIMMER_PAIRED_H
#define DIMMER_PAIRED_H

#include "dimmer_kernels.h"

#define DIMMER_PAIRED_CHANNELS 4u
#define DIMMER_RESCALE_SHIFT   11 /* after the product */

#define DIMMER_PAIRED_TURN        16u /* steps of the inner loop of dimmer_paired_2x4 */
#define DIMMER_PAIRED_TURN_SIGNED 4u
#define DIMMER_PAIRED_STEP        56u /* bytes of code of a step */

/* Of dimmer_paired_2x4: how many turns are left stands above each second sum, which is below 2^23 and begins
 * and ends with -2^23. The parameters have that taken out. */
#define DIMMER_PAIRED_TURNS_SHIFT 24
#define DIMMER_PAIRED_SECOND      (-((int32_t)1 << (DIMMER_PAIRED_TURNS_SHIFT - 1)))

/* What dimmer_paired_2x4 works on: tiles of two pixels, all channels of each. A step is two inputs: a word of
 * int16 of the first pixel, then one of the second. The order is that of its frame on the stack. */
typedef struct {
    const int32_t *params;
    const int32_t *pixels; /* of a tile, widened as by dimmer_widen_rows */
    uint32_t entry;        /* bytes of code that the first turn leaves out, and 1 */
    const int8_t *weights_end;
    int32_t start;   /* half, and the zero point, before the shift: of dimmer_paired_2x4_signed */
    int8_t *output0; /* at a multiple of 2 */
    int8_t *output1;
    const int8_t *weights;
    const int32_t *params_begin; /* params again */
    const int8_t *input0;        /* of dimmer_paired_2x4 */
    const int8_t *input1;        /* input0 of the next tile lies where this one's input1 ends, and so on */
    uint32_t words;              /* of each input, to be widened first; 0: `pixels` are there already */
    uint32_t tiles;
    uint32_t next_pixels;  /* bytes from a tile's `pixels` to those of the next one */
    uint32_t next_outputs; /* from the end of a tile's outputs to those of the next one */
    union {
        int32_t turns;             /* of dimmer_paired_2x4: what the first of the second sums begins with */
        const int32_t *pixels_end; /* of dimmer_paired_2x4_signed */
    } loop;
    int32_t second; /* what second sums begin with: 0 for dimmer_paired_2x4_signed */
} dimmer_paired_t;

/* All tiles; output_c rounded up to a multiple of 4 results a pixel. */
void dimmer_paired_2x4(const dimmer_paired_t *work);

/* The same where negative sums have a step of their own. */
void dimmer_paired_2x4_signed(const dimmer_paired_t *work);

/* What dimmer_widen_rows works on. The order is that of its registers. */
typedef struct {
    uint32_t words; /* of a row */
    uint32_t rest;  /* bytes of a row beside: 0 to 3, of which a whole word is read */
    uint32_t rows;  /* at least one */
    uint32_t step;  /* from the end of a row's whole words to the next row */
} dimmer_widen_t;

/* Steps of a row: of four bytes 0 and 2, then 1 and 3; one less where a single byte is left. */
static inline uint32_t dimmer_paired_steps(uint32_t row_bytes) {
    return row_bytes / 4u * 2u + (row_bytes % 4u > 1u ? 2u : row_bytes % 4u);
}

/* Rows of two inputs, step by step. Gives the end of `to`. */
int32_t *dimmer_widen_rows(const int8_t *input0, const int8_t *input1, const dimmer_widen_t *work,
                           int32_t *to);

/* One layer, `strip` tiles at a time; `step` is 1 where there are steps. With `add`, whose operand `operand`
 * it is, the sum is what is stored. */
void dimmer_paired_layer(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t step,
                         uint32_t strip, const dimmer_add_s8_t *add, uint32_t operand, uint8_t *arena);

#endif
