/* SPDX-License-Identifier: Apache-2.0 */
/* Winograd's F(4,3) along rows, exact in integers, for Arm cores with the DSP extension: four neighbouring
 * outputs of a kernel 3 wide take 6 products instead of 12.
 *
 * With d the six inputs, w the three weights and u = [6 w0, w0+w1+w2, w0-w1+w2, w0+2w1+4w2, w0-2w1+4w2, 3
 * w2], t = [4d0-5d2+d4, -4d1-4d2+d3+d4, 4d1-4d2-d3+d4, -2d1-d2+2d3+d4, 2d1-d2-2d3+d4, 4d1-5d3+d5], m = u * t,
 * the outputs are y0 = (m0 - 4(m1+m2) + m3+m4) / 24, y1 = (m3-m4 - 2(m1-m2)) / 12, y2 = (m3+m4 - (m1+m2)) /
 * 6, y3 = (2(m3-m4) - (m1-m2) + 2 m5) / 6. Sums are modulo 2^32, and the division by 3 is a multiplication by
 * its inverse modulo 2^32: exact while |y| < 2^28. (Lavin and Gray, Fast Algorithms for Convolutional Neural
 * Networks, CVPR 2016; the rows of u are scaled to integers.)
 */
#ifndef DIMMER_F43_H
#define DIMMER_F43_H

#include "dimmer_kernels.h"

#define DIMMER_F43_POINTS  6u
#define DIMMER_F43_COLUMNS 6u /* inputs of a tile */
#define DIMMER_F43_TILE    4u /* its outputs */

/* What dimmer_f43_2x2 works on: two tiles and all pairs of channels of a panel. The order is that of its
 * frame on the stack. */
typedef struct {
    const int32_t *panel;
    const int32_t *panel_end;
    const int32_t *pixels;
    uint32_t bytes; /* of one point's inputs */
    uint32_t jump;  /* from the end of one point's inputs to the next one's */
    int8_t *output0;
    int8_t *output1;
    uint32_t stride; /* bytes between neighbouring pixels of the output */
} dimmer_f43_t;

void dimmer_f43_2x2(const dimmer_f43_t *work);

/* t of one tile: six columns of `channels` bytes from `columns` on; words of a point `spacing` words apart,
 * two of every four. */
void dimmer_f43_inputs(const int8_t *columns, uint32_t channels, int32_t *to, uint32_t spacing);

/* u of one row of a kernel, as dimmer_f43_inputs. */
void dimmer_f43_weights(const int8_t *weights, uint32_t channels, int32_t *to, uint32_t spacing);

/* One layer: `group` channels in a pass, `strip` rows of outputs at a time; with `add` as
 * dimmer_direct_layer. */
void dimmer_f43_layer(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t group,
                      uint32_t strip, const dimmer_add_s8_t *add, uint32_t operand, uint8_t *arena);

/* The same, of weights that are slices. */
void dimmer_f43_sliced_layer(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t group,
                             uint32_t strip, const dimmer_add_s8_t *add, uint32_t operand, uint8_t *arena);

#endif
