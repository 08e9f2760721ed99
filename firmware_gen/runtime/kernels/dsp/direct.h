/* SPDX-License-Identifier: Apache-2.0 */
/* Convolution for Arm cores with the DSP extension: what its kernels share. Bytes are widened to int16 once,
 * and every product is then half an SMLAD.
 *
 * Four bytes become two words of int16, bytes 0 and 2, then bytes 1 and 3: sums do not see the order, as long
 * as weights and inputs have the same.
 */
#ifndef DIMMER_DIRECT_H
#define DIMMER_DIRECT_H

#include "dimmer_kernels.h"
#include "../common/assembly.h"

/* Words of a panel beside the weights of two channels: two biases, two times multiplier, rounding, shift. */
#define DIMMER_DIRECT_HEAD 2u
#define DIMMER_DIRECT_TAIL 6u

/* Widens `count` bytes of a and of b: for every four of them two words of a, two of b; the last four are
 * filled up with 0. Gives the end of `to`. */
int32_t *dimmer_widen_pair(const int8_t *a, const int8_t *b, uint32_t count, int32_t *to);

/* Writes what precedes and what follows the weights of channels c and d in a panel; gives the end. Shifts are
 * -1 to -22, and |sum| < 2^30. */
int32_t *dimmer_direct_head(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t c, uint32_t d,
                            int32_t *to);
int32_t *dimmer_direct_tail(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t c, uint32_t d,
                            int32_t *to);

/* All pairs of channels of a panel for two pixels: bias + sum of products, rescaled and saturated. */
void dimmer_direct_2x2(const int32_t *panel, const int32_t *panel_end, const int32_t *pixels,
                       const int32_t *pixels_end, int8_t *output0, int8_t *output1);

/* Values within the layer's activation range, where that is not all of int8. */
void dimmer_clamp_run(const dimmer_conv2d_s8_t *r, int8_t *values, uint32_t count);

/* `count` columns of a row of the input from x on, those outside as padding. */
void dimmer_copy_columns(const dimmer_conv2d_s8_t *r, const int8_t *row, int32_t x, int32_t count,
                         int8_t *to);

/* One row of the input under the kernel, its left end at (y, x): kernel_w * input_c bytes, in place where it
 * can be, else gathered in `staging`. */
const int8_t *dimmer_kernel_row(const dimmer_conv2d_s8_t *r, const int8_t *input, int32_t y, int32_t x,
                                int8_t *staging);

#endif
