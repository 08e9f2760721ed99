/* SPDX-License-Identifier: Apache-2.0 */
/* Convolution of 4- and 2-bit inputs with 4- and 2-bit weights for cores that multiply word by word:
 * inputs of outputs in neighbouring rows share a word, and one multiplication by a weight makes as many
 * products. Two rows share one, or four of 2-bit inputs, whose weights are -1..1.
 *
 * A sum of such words holds, field by field, the sums of its rows, modulo 2^32. With the channel's offset in
 * each field, at least what its negative products add up to, no field is negative and each is read as it is.
 * Where a sum over all terms might leave its field, terms are added up in chunks, each in a sum of its own.
 *
 * A tile is four outputs of each of these rows: four words or, with Winograd's F(4,3) along the row, one of
 * which four tiles make a panel. All of that is linear, so that whole words are transformed. 24 times a sum
 * are 8 times the sum after a multiplication with the inverse of 3, and so fields have 29 bits in all. The
 * inner loop is that of the 8-bit panels. */
#ifndef DIMMER_PACKED_H
#define DIMMER_PACKED_H

#include "panel.h"

#define DIMMER_PACKED_ROWS    4u /* most in a word */
#define DIMMER_PACKED_COLUMNS 4u /* of outputs of a tile */
#define DIMMER_PACKED_PLANES  6u

/* How a sum with its offsets becomes a code: products have 32 bits, and all is modulo 2^32. */
typedef enum {
    DIMMER_PACKED_LINE,   /* (start + multiplier * x) >> 24 of the sum clamped to x */
    DIMMER_PACKED_LINES,  /* the same, with `negative` added where x is below zero */
    DIMMER_PACKED_STEEP,  /* the same of a sum that is not clamped, with a shift of 20; the code is clamped */
    DIMMER_PACKED_CLAMPED /* the same of one that is, with a shift of 22 */
} dimmer_packed_way_t;

/* What the outputs of a channel share. */
typedef struct {
    uint32_t offset; /* in every field of a word */
    uint32_t low;
    uint32_t high;
    uint32_t multiplier;
    uint32_t start;
    uint32_t zero;
    uint32_t negative;
} dimmer_packed_channel_t;

/* What the records have beside the convolution. */
typedef struct {
    uint32_t bounds;
    uint32_t group;
    uint32_t strip;
    uint32_t terms;
    uint32_t planes;
    uint32_t input_bits;
    dimmer_packed_way_t way;
} dimmer_packed_settings_t;

/* What words and outputs of a layer are made of. */
typedef struct {
    uint32_t rows;    /* in a word */
    uint32_t spacing; /* bits from one to the next */
    uint32_t mask;    /* of every other row, as words are read */
    uint32_t behind;  /* bits before the lowest row */
    uint32_t planes;  /* 1, or 6 with F(4,3) */
    uint32_t chunks;
    uint32_t plane;  /* words between the sums of planes, and those of chunks where there is one plane */
    size_t row;      /* bytes between rows of outputs */
    size_t channels; /* bytes between neighbouring outputs */
    dimmer_packed_way_t way;
    int32_t low; /* of the activation */
    int32_t high;
} dimmer_packed_form_t;

/* Where a tile of channel 0 goes, and how much of it the output has. */
typedef struct {
    int8_t *output;
    uint32_t rows;
    uint32_t columns;
} dimmer_packed_tile_t;

/* `columns` times the words of `channels` elements, a multiple of 4, of each row, to every fourth word;
 * columns are `column` words apart. */
void dimmer_packed_inputs(const dimmer_packed_form_t *form, const int8_t *const from[DIMMER_PACKED_ROWS],
                          uint32_t columns, uint32_t channels, int32_t *to, size_t column);

/* Six columns of `channels` words each, every fourth from `at` on and `plane` words apart, to the six points
 * of F(4,3). */
void dimmer_packed_transform(int32_t *at, uint32_t channels, size_t plane);

/* The sums of a channel, int32[chunks,planes,...,4], to its outputs in `count` tiles, `first` bytes from
 * those of channel 0. */
void dimmer_packed_results(const dimmer_packed_form_t *form, const int32_t *sums,
                           const dimmer_packed_channel_t *channel, const dimmer_packed_tile_t *tiles,
                           uint32_t count, uint32_t first);

/* One layer; where `add` is not null, its result is operand `operand` of it. */
void dimmer_packed_layer(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r,
                         const dimmer_packed_settings_t *settings, const dimmer_add_s8_t *add,
                         uint32_t operand, uint8_t *arena);

#endif
