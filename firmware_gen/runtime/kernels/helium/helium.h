/* SPDX-License-Identifier: Apache-2.0 */
/* Convolution for Arm cores with Helium: what its kernels share. A tile is two channels of four pixels, whose
 * eight sums are all the registers that VMLADAVA can add to; bytes are multiplied as they are.
 *
 * A panel holds the weights of pairs of channels in the order in which tiles read them:
 *     int32 bias[2][4], int8 weights[blocks][2][16], int32 multiplier, shift, multiplier, shift, next, zero
 * point, rounds[2]; next is how far behind this pair's results those of the next one are, in bytes, of the
 * last pair how far they are behind the first one's, minus 1; shifts are to the left and not above 0, and
 * rounds is 1 where they are below.
 */
#ifndef DIMMER_HELIUM_H
#define DIMMER_HELIUM_H

#include "dimmer_kernels.h"

#define DIMMER_TILE_PIXELS 4u
#define DIMMER_TILE_BLOCK  16u /* bytes of a vector */
#define DIMMER_KEPT_PIXELS 16u /* results that are added at a time */
#define DIMMER_PANEL_ENDS  64u /* bytes of a pair beside its weights */

/* What a tile's assembly reads; offsets are fixed. */
typedef struct {
    union {
        const int8_t *pixels[DIMMER_TILE_PIXELS]; /* of a run: where each pixel's inputs begin */
        struct {
            const int8_t **rows; /* of columns: the three rows under the windows, slice by slice */
            const int8_t **rows_end;
        } columns;
    } from;               /* 0 */
    uint32_t run;         /* 16: bytes of a pair's weights, 32 to a block */
    const int8_t *panel;  /* 20 */
    int8_t *output;       /* 24 */
    uint32_t tiles;       /* 28: side by side */
    uint16_t places[8];   /* 32: of the eight results: two channels of a pixel, then of the next */
    uint32_t input_step;  /* 48: from a tile to the next */
    uint32_t output_step; /* 52: the same, and 1 more */
} dimmer_tile_t;

/* Tiles side by side of all pairs of a panel, for pixels whose inputs lie in one piece, `run` / 2 bytes each.
 * What the record says of the first tile does not hold afterwards. */
void dimmer_tile_run(dimmer_tile_t *tile);

/* As dimmer_tile_run, of at most DIMMER_SHORT_RUN, with the blocks of each pair in the opposite order. */
#define DIMMER_SHORT_RUN 256u
void dimmer_tile_short(dimmer_tile_t *tile);

/* As dimmer_tile_run, of a single block. */
void dimmer_tile_block(dimmer_tile_t *tile);

/* As dimmer_tile_run, for tiles side by side of 3x3 windows one column apart: a slice of 16 channels of a
 * pixel is 16 bytes, and that of the next pixel follows it. Leaves rows and output behind the last tile. */
void dimmer_tile_columns(dimmer_tile_t *tile);

/* The same for windows two columns apart. */
void dimmer_tile_odd_columns(dimmer_tile_t *tile);

/* Both of a single slice. */
void dimmer_tile_slice(dimmer_tile_t *tile);
void dimmer_tile_odd_slice(dimmer_tile_t *tile);

/* The same where no result below the output's zero point is kept: halves of negative numbers need no care. */
void dimmer_tile_run_relu(dimmer_tile_t *tile);
void dimmer_tile_short_relu(dimmer_tile_t *tile);
void dimmer_tile_block_relu(dimmer_tile_t *tile);
void dimmer_tile_columns_relu(dimmer_tile_t *tile);
void dimmer_tile_odd_columns_relu(dimmer_tile_t *tile);
void dimmer_tile_slice_relu(dimmer_tile_t *tile);
void dimmer_tile_odd_slice_relu(dimmer_tile_t *tile);

/* A QUANTIZE of the inputs: its numbers as in dimmer_requantize_s8; its output zero point is the layer's. */
typedef struct dimmer_helium_entry {
    int32_t multiplier;
    int32_t zero_point;
    int32_t shift; /* -31..0 */
    /* Those of helium_entry.h, by address: images without a QUANTIZE do not carry them. */
    void (*scatter)(const int8_t *table, int8_t *to, const int8_t *from, const uint16_t *offsets,
                    uint32_t count);
    void (*split)(const int8_t *table, int8_t *to, const int8_t *from, uint32_t pixels, uint32_t step);
    void (*prepare)(const struct dimmer_helium_entry *entry, int32_t output_zero_point, int8_t *table);
} dimmer_helium_entry_t;

#define DIMMER_HELIUM_ENTRY_BYTES 256u

/* One layer, `group` channels in a pass, `columns` 1 for windows of three columns; with `add`, whose operand
 * `operand` it is, the sum is what is stored; with `entry` its inputs go through that first. */
void dimmer_helium_layer(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t group,
                         uint32_t columns, const dimmer_add_s8_t *add, uint32_t operand,
                         const dimmer_helium_entry_t *entry, uint8_t *arena);

/* Values within low and high. */
void dimmer_helium_clamp(int8_t *values, uint32_t count, int32_t low, int32_t high);

/* ADD of tensors of one shape, one of which is rescaled by exactly 2^19, as in TFLite always one is. What
 * each value of the other adds is in a table. */
typedef struct {
    const int32_t *table; /* by the value's bits as an unsigned number */
    int32_t multiplier;
    int32_t shift; /* to the left: negative */
    int32_t zero_point;
    int32_t low;
    int32_t high;
    uint32_t looked_up; /* 1 or 2: the input that the table is for */
} dimmer_helium_sum_t;

#define DIMMER_HELIUM_SUM_BYTES 1024u

/* Fills the table. */
dimmer_helium_sum_t dimmer_helium_sum_prepare(const dimmer_add_s8_t *r, int32_t *table);

/* output[i] = first[i] + second[i], the inputs 1 and 2 of the record; output may be either. */
void dimmer_helium_sum_run(const dimmer_helium_sum_t *sum, const int8_t *first, const int8_t *second,
                           int8_t *output, uint32_t count);

#endif
