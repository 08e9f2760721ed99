/* SPDX-License-Identifier: Apache-2.0 */
/* The transforms of Winograd's F(4x4,3x3) at the points 0, 1, -1, 2, -2 and infinity, in integers modulo
 * 2^32. */
#ifndef DIMMER_WINOGRAD_H
#define DIMMER_WINOGRAD_H

#include "panel.h"

#define DIMMER_WINOGRAD_SIDE   4u /* of a tile of outputs */
#define DIMMER_WINOGRAD_POINTS 6u /* side of its inputs */
#define DIMMER_WINOGRAD_PLANES (DIMMER_WINOGRAD_POINTS * DIMMER_WINOGRAD_POINTS)

/* Transformed inputs are at most 12,800, weights 6,272. RISC-V loads a half as fast as a word, and has the
 * registers for four channels at a time; Arm cores load several words at once. */
#if !defined(__thumb__)
typedef int16_t dimmer_winograd_word_t;
#define DIMMER_WINOGRAD_CHANNELS 4u
#else
typedef int32_t dimmer_winograd_word_t;
#define DIMMER_WINOGRAD_CHANNELS 1u
#endif

/* Words from a sum of one plane to that of the next. */
#define DIMMER_WINOGRAD_SPACE (DIMMER_PANEL_PIXELS * DIMMER_WINOGRAD_CHANNELS)

/* Where a tile of one channel goes. */
typedef struct {
    int8_t *output; /* channel 0 */
    uint32_t rows;  /* that the output has, 1..4 */
    uint32_t columns;
} dimmer_winograd_tile_t;

/* What all tiles share. */
typedef struct {
    uint32_t row; /* bytes between rows of the output */
    uint32_t channels;
    int32_t low;
    int32_t high;
    const dimmer_rescale_t *rescales;
    const dimmer_panel_small_t *smalls; /* instead, where sums are rescaled in words; null otherwise */
} dimmer_winograd_output_t;

/* What a tile of one channel is stored with. The struct is read by assembly. */
typedef struct {
    dimmer_small_t rescale;
    int32_t bias;
    uint32_t channels;
    uint32_t next; /* bytes from the end of a row of the tile to the next row */
    int8_t *output;
    uint32_t columns;
    uint32_t rows;
} dimmer_winograd_store_t;

/* int8[3,3,channels] to [36,plane]; what is behind the channels of a plane stays. */
void dimmer_winograd_weights(const int8_t *weights, size_t channels, size_t plane,
                             dimmer_winograd_word_t *to);

/* 6x6 elements of every channel, `row` bytes from one row to the next, to every fourth word of
 * [36,plane,4]. */
void dimmer_winograd_input(const int8_t *from, size_t row, size_t channels, size_t plane,
                           dimmer_winograd_word_t *to);

/* The products of `channels` channels and four tiles, at most DIMMER_WINOGRAD_CHANNELS: weights
 * [channels,36,plane], inputs [36,plane,4], sums int32[36,DIMMER_WINOGRAD_CHANNELS,4]. */
void dimmer_winograd_panel(const dimmer_winograd_word_t *weights, const dimmer_winograd_word_t *inputs,
                           uint32_t channels, uint32_t plane, int32_t *sums);

#if defined(DIMMER_PANEL_HAS_FOUR)
/* Four channels of a plane; `end` is that of the first one's weights, `step` the bytes from one's to the next
 * one's. panel_halves_riscv.c */
void dimmer_panel_halves_four(const int16_t *weights, const int16_t *pixels, const int16_t *end,
                              int32_t *sums, uint32_t step);
#endif

/* One channel of up to four tiles, each every DIMMER_WINOGRAD_SPACE-th word of the sums, to int8. */
void dimmer_winograd_back(const int32_t *sums, const dimmer_winograd_output_t *output,
                          const dimmer_winograd_tile_t *tiles, uint32_t count, uint32_t channel);

/* Its parts: these words to the first 16 words of uint32[24], 576 times the sums modulo 2^32. */
void dimmer_winograd_products(const int32_t *sums, uint32_t *to);

/* And these to int8, whose range is that of the activation. */
void dimmer_winograd_store_small(const uint32_t *products, const dimmer_winograd_store_t *store);

/* A whole layer: dimmer_conv2d_s8_winograd or, where `add_to` is not null, dimmer_conv2d_add_s8_winograd. */
void dimmer_winograd_layer(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t group,
                           uint32_t strip, const dimmer_add_s8_t *add_to, uint32_t operand, uint32_t places,
                           uint32_t small, uint8_t *arena);

/* The same, of weights that are slices. */
void dimmer_winograd_sliced_layer(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t group,
                                  uint32_t strip, const dimmer_add_s8_t *add_to, uint32_t operand,
                                  uint32_t places, uint32_t small, uint8_t *arena);

#endif
