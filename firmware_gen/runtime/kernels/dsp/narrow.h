/* SPDX-License-Identifier: Apache-2.0 */
/* Convolution of 4- and 2-bit inputs with 4- and 2-bit weights for Arm cores with the DSP extension: one
 * SMLAL makes 9 or 12 products.
 *
 * A row of inputs a[i] and the taps w[t] of a kernel row are polynomials in z = 2^spacing. `pixels`
 * neighbouring inputs make one 32-bit word, the taps, last one lowest, the other, and the 64-bit product
 * holds, field by field, what these inputs add to pixels + taps - 1 neighbouring outputs. Sums over channels
 * and rows of the kernel stay in the fields. The lower `pixels` fields are complete after a tile; the upper
 * ones, taken as one signed number, are where the next tile of the row begins.
 *
 *   inputs    pixels  spacing
 *   0..15       3       13
 *   0..3        4       10
 *
 * Weights are -7..7 or -1..1, of 2-bit inputs -1..1.
 *
 * 2-bit weights stand for -7, 0 and 7 (slice.h): sums are multiplied by that unit when they are rescaled.
 * A field is read as unsigned: its channel's offset was added, which is at least its negative products. The
 * uppermost input of a 2-bit word would be its sign: it is stored less 2, and what that takes away is given
 * back with the offset. Where a sum over all terms might leave its field, terms are added up in chunks, each
 * in a sum of its own. A kernel that steps over inputs sees the even and the odd ones as two rows ("phases")
 * with every other tap. A QUANTIZE before the convolution is a table that inputs go through.
 */
#ifndef DIMMER_NARROW_H
#define DIMMER_NARROW_H

#include "dimmer_kernels.h"

#define DIMMER_NARROW_MAX_PIXELS 4u
#define DIMMER_NARROW_TAPS       3u
#define DIMMER_NARROW_PHASES     2u
#define DIMMER_NARROW_SUMS       4u /* of two lanes, a row of outputs each, and two channels */
/* Words before the weights of a chunk: where the sums of both channels begin. */
#define DIMMER_NARROW_HEAD 4u

/* Behind the last chunk: what the outputs of the first channel share, and of the second. Assembly knows the
 * order. */
typedef struct {
    int32_t negative; /* -1 where the shift is to the right: halves of negative sums are rounded down */
    int32_t factor; /* doubles a sum, shifts it to the left where that is its shift, and is times the unit */
    int32_t bias;   /* less the offsets of the fields; doubled and shifted as well */
    int32_t multiplier; /* Q0.31 */
    int32_t rounding;   /* half of what is shifted out to the right, and the output's zero point above it */
    int32_t shift;      /* to the right */
} dimmer_narrow_tail_t;

#define DIMMER_NARROW_TAIL 12u /* words of both */

/* What becomes of sums: any int8; the same where all shifts are to the left; as narrow as inputs, from -128
 * on. */
typedef enum { DIMMER_NARROW_WIDE, DIMMER_NARROW_LEFT, DIMMER_NARROW_CLAMPED } dimmer_narrow_kind_t;

#define DIMMER_NARROW_KINDS 3u

/* What dimmer_narrow_row works on: two rows of outputs, the lanes, of two channels. Its assembly knows the
 * order. */
typedef struct narrow_row {
    const int32_t *panel;  /* of the two channels */
    const int32_t *pixels; /* of the first tile that is left */
    uint32_t bytes;        /* of a chunk's pixels */
    uint32_t jump;         /* from the end of a tile's pixels to those of the next one */
    int8_t *output0;       /* of lane 0: where the next tile's results go */
    int8_t *output1;
    uint32_t stride; /* bytes between neighbouring outputs */
    uint32_t tiles;  /* that are left, at least one */
    uint32_t chunks;
    int64_t
        *sums; /* int64[chunks][DIMMER_NARROW_SUMS]: lanes 0 and 1 of the first channel, then of the second */
    void (*results)(struct narrow_row *row, const dimmer_narrow_tail_t *tail);
} dimmer_narrow_row_t;

/* What reads the complete fields of both channels and lanes, rescales and stores them, and brings the outputs
 * to the next tile: of a single chunk, or adding up all of them. It leaves r4-r11 as they come, so only
 * dimmer_narrow_row_* and dimmer_narrow_tile may call it. */
typedef void (*dimmer_narrow_results_t)(dimmer_narrow_row_t *row, const dimmer_narrow_tail_t *tail);

/* Of one chunk, and of many. */
extern const dimmer_narrow_results_t dimmer_narrow_results_4[2][DIMMER_NARROW_KINDS];
extern const dimmer_narrow_results_t dimmer_narrow_results_2[2][DIMMER_NARROW_KINDS];

/* All tiles that are left: for each, and each chunk, sums = (sums >> pixels * spacing) + head + the products
 * of all terms, two words of pixels and two of the panel each; then row->results. */
void dimmer_narrow_row_4(dimmer_narrow_row_t *row);
void dimmer_narrow_row_2(dimmer_narrow_row_t *row);

/* row->results for one tile. */
void dimmer_narrow_tile(dimmer_narrow_row_t *row, const dimmer_narrow_tail_t *tail);

/* How a word is made of inputs, and what knows that. */
typedef struct {
    uint32_t bits; /* of an input */
    uint32_t pixels;
    uint32_t spacing;
    void (*row)(dimmer_narrow_row_t *row);
    const dimmer_narrow_results_t *results; /* [2][DIMMER_NARROW_KINDS] */
    /* The words of `channels` channels, a multiple of 4, from the columns of as many neighbouring inputs as a
     * word holds: every other word from `to` on. With a table of 256 bytes, from what it has for their codes.
     */
    void (*inputs)(const int8_t *const columns[DIMMER_NARROW_MAX_PIXELS], uint32_t channels,
                   const uint8_t *table, int32_t *to);
    /* The words of `channels` channels from the int8 codes of `count` taps, 2 or 3, lowest field first:
     * slices of `bits` bits. Gives their sum where 2-bit inputs need it, else 0. */
    int32_t (*weights)(const int8_t *const taps[DIMMER_NARROW_TAPS], uint32_t count, uint32_t channels,
                       uint32_t bits, int32_t *to);
} dimmer_narrow_format_t;

/* Weights as narrow as inputs; and 2-bit ones of 4-bit inputs. */
extern const dimmer_narrow_format_t dimmer_narrow_4;
extern const dimmer_narrow_format_t dimmer_narrow_2;
extern const dimmer_narrow_format_t dimmer_apart_4;

/* The words of inputs that are all 0. */
void dimmer_narrow_blank(uint32_t channels, uint32_t bits, int32_t *to);

/* What the records have beside the convolution. */
typedef struct {
    const dimmer_narrow_format_t *format;
    uint32_t group;
    uint32_t strip;
    uint32_t terms;
    uint32_t offsets;
    int32_t entry_multiplier;
    int32_t entry_zero_point;
    int32_t entry_shift;
} dimmer_narrow_settings_t;

/* Those of a record, whatever its type. */
#define DIMMER_NARROW_SETTINGS(record, how)                                                                  \
    {(how),                                                                                                  \
     (record)->group,                                                                                        \
     (record)->strip,                                                                                        \
     (record)->terms,                                                                                        \
     (record)->offsets,                                                                                      \
     (record)->entry_multiplier,                                                                             \
     (record)->entry_zero_point,                                                                             \
     (record)->entry_shift}

/* One layer; with `add` as dimmer_direct_layer. */
void dimmer_narrow_layer(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r,
                         const dimmer_narrow_settings_t *settings, const dimmer_add_s8_t *add,
                         uint32_t operand, uint8_t *arena);

#endif
