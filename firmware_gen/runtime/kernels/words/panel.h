/* SPDX-License-Identifier: Apache-2.0 */
/* What the convolutions that widen their operands to words share: their inner loop, panel.c in C99 and
 * panel_thumb.c for Arm cores, and the records of their channels. */
#ifndef DIMMER_PANEL_H
#define DIMMER_PANEL_H

#include "dimmer_kernels.h"
#include "../common/rescale.h"
#include "small.h"

#define DIMMER_PANEL_PIXELS 4u

/* For each of `planes` planes, modulo 2^32, with weights int32[planes,length] and sums int32[planes,4]:
 *   sums[p,j] = sum over k < length of weights[p,k] * pixels[p * step + 4 * k + j]
 * planes >= 1, length >= 4 and a multiple of 4. */
void dimmer_panel(const int32_t *weights, const int32_t *pixels, uint32_t planes, uint32_t length,
                  int32_t *sums, uint32_t step);

#if defined(__riscv_mul) && __riscv_xlen == 32 && !defined(__riscv_32e)
#define DIMMER_PANEL_HAS_FOUR 1
/* Four planes over the same pixels, panel_riscv.c; `end` is that of the first plane's weights. */
void dimmer_panel_four(const int32_t *weights, const int32_t *pixels, const int32_t *end, int32_t *sums);
#endif

/* What every output channel needs, to dimmer_rescale_t[output_c]. */
void dimmer_panel_rescales(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r,
                           dimmer_rescale_t *rescales);

/* The sums of `group` channels, int32[group,4], rescaled and saturated, to four neighbouring pixels of
 * int8[,channels]. */
void dimmer_panel_store_four(const int32_t *sums, const dimmer_rescale_t *rescales, uint32_t group,
                             int8_t *output, uint32_t channels);

/* What every output channel needs whose sums are below 2^20, bias included. */
typedef struct {
    int32_t bias; /* not doubled */
    dimmer_small_t rescale;
} dimmer_panel_small_t;

/* The same within the layer's activation range, to the first `count` of four neighbouring pixels of
 * int8[,output_c]. */
void dimmer_panel_store(const int32_t *sums, const dimmer_rescale_t *rescales, uint32_t group, uint32_t count,
                        const dimmer_conv2d_s8_t *r, int8_t *output);

/* The three of these for sums that are below 2^20, bias included: rescaled in words (small.h). */
void dimmer_panel_smalls(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r,
                         dimmer_panel_small_t *rescales);
void dimmer_panel_store_small_four(const int32_t *sums, const dimmer_panel_small_t *rescales, uint32_t group,
                                   int8_t *output, uint32_t channels);
void dimmer_panel_store_small(const int32_t *sums, const dimmer_panel_small_t *rescales, uint32_t group,
                              uint32_t count, const dimmer_conv2d_s8_t *r, int8_t *output);

#endif
