/* SPDX-License-Identifier: Apache-2.0 */
/* The transforms of Winograd's F(4x4,3x3) at the points 0, 1, -1, 2, -2 and infinity, in integers modulo
 * 2^32. */
#ifndef DIMMER_WINOGRAD_H
#define DIMMER_WINOGRAD_H

#include "panel.h"

#define DIMMER_WINOGRAD_SIDE   4u /* of a tile of outputs */
#define DIMMER_WINOGRAD_POINTS 6u /* side of its inputs */
#define DIMMER_WINOGRAD_PLANES (DIMMER_WINOGRAD_POINTS * DIMMER_WINOGRAD_POINTS)

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
} dimmer_winograd_output_t;

/* int8[3,3,channels] to int32[36,channels]. */
void dimmer_winograd_weights(const int8_t *weights, size_t channels, int32_t *to);

/* 6x6 elements of every channel, `row` bytes from one row to the next, to every fourth word of
 * int32[36,channels,4]. */
void dimmer_winograd_input(const int8_t *from, size_t row, size_t channels, int32_t *to);

/* One tile of one channel: every fourth word of int32[36,4] to int8. */
void dimmer_winograd_back(const int32_t *sums, const dimmer_rescale_t *rescale,
                          const dimmer_winograd_output_t *output, const dimmer_winograd_tile_t *tile,
                          uint32_t channel);

/* A whole layer: dimmer_conv2d_s8_winograd or, where `add_to` is not null, dimmer_conv2d_add_s8_winograd. */
void dimmer_winograd_layer(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t group,
                           uint32_t strip, const dimmer_add_s8_t *add_to, uint32_t operand,
                           uint32_t places, uint8_t *arena);

#endif
