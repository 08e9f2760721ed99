/* SPDX-License-Identifier: Apache-2.0 */
/* CONV_2D by panels, once for each kind of weights: a file that includes this one may define
 * DIMMER_KERNEL_SLICED to be 1, where weights are slices of what is stored. Neither pays for the other. */
#ifndef DIMMER_PANEL_BODY_H
#define DIMMER_PANEL_BODY_H

#include <string.h>

#include "panel.h"
#include "../common/require.h"
#include "../common/slice.h"

#ifndef DIMMER_KERNEL_SLICED
#define DIMMER_KERNEL_SLICED 0
#endif

/* int32[length] of each channel's weights, or of their slices; what is behind them is 0. */
static void widen_weights(const int8_t *weights, uint32_t depth, uint32_t length, uint32_t channels,
                          uint32_t bits, int32_t *to) {
    for (; channels != 0u; --channels) {
        const int8_t *const end = weights + depth;
        int32_t *const next = to + length;

        if (DIMMER_KERNEL_SLICED) {
            /* Where the last of the words will be: of those that are not read yet none is overwritten. */
            int8_t *const slices = (int8_t *)next - depth;
            uint32_t i;

            dimmer_slice(weights, slices, depth, bits);
            for (i = 0; i < depth; ++i) {
                *to++ = slices[i];
            }
            weights = end;
        }
        while (weights != end) {
            *to++ = *weights++;
        }
        while (to != next) {
            *to++ = 0;
        }
    }
}

/* Every fourth word of `to`; returns where the next value belongs. */
static int32_t *widen(const int8_t *from, uint32_t count, int32_t *to) {
    const int8_t *end = from + (count & ~3u);

    for (; from != end; from += 4, to += 16) {
        to[0] = from[0];
        to[4] = from[1];
        to[8] = from[2];
        to[12] = from[3];
    }
    for (end = from + (count & 3u); from != end; ++from, to += 4) {
        *to = *from;
    }
    return to;
}

static int32_t *repeat(int32_t value, uint32_t count, int32_t *to) {
    for (; count != 0u; --count, to += 4) {
        *to = value;
    }
    return to;
}

/* The input under the kernel at (y, x), its top left corner, to every fourth word. */
static void gather(const dimmer_conv2d_s8_t *r, const int8_t *input, int32_t y, int32_t x, int32_t *to) {
    const uint32_t channels = r->input_c;
    const int32_t padding = r->input_zero_point;
    uint32_t ky;

    for (ky = 0; ky < r->kernel_h; ++ky, y += r->dilation_h) {
        const int8_t *row;
        int32_t column = x;
        uint32_t kx;

        if (y < 0 || y >= r->input_h) {
            to = repeat(padding, r->kernel_w * channels, to);
            continue;
        }
        row = input + (size_t)y * r->input_w * channels;
        if (r->dilation_w == 1u && x >= 0 && x + r->kernel_w <= r->input_w) {
            to = widen(row + (size_t)x * channels, r->kernel_w * channels, to);
            continue;
        }
        for (kx = 0; kx < r->kernel_w; ++kx, column += r->dilation_w) {
            if (column < 0 || column >= r->input_w) {
                to = repeat(padding, channels, to);
            } else {
                to = widen(row + (size_t)column * channels, channels, to);
            }
        }
    }
}

static void one_image(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t all,
                      const int8_t *input, const dimmer_rescale_t *rescales, int32_t *scratch,
                      int8_t *output) {
    const uint32_t depth = (uint32_t)r->kernel_h * r->kernel_w * r->input_c;
    const uint32_t length = (depth + 3u) & ~3u;
    const uint32_t channels = r->output_c;
    const uint32_t pixels = (uint32_t)r->output_h * r->output_w;
    int32_t *const sums = scratch;
    int32_t *const panel = sums + DIMMER_PANEL_PIXELS * all;
    int32_t *const expanded = panel + DIMMER_PANEL_PIXELS * length;
    uint32_t first;

    memset(panel, 0, DIMMER_PANEL_PIXELS * length * sizeof *panel);
    for (first = 0; first < channels; first += all) {
        const uint32_t group = channels - first < all ? channels - first : all;
        int32_t y = -(int32_t)r->pad_top;
        int32_t x = -(int32_t)r->pad_left;
        const int32_t end = x + r->output_w * r->stride_w;
        uint32_t pixel;

        widen_weights(model->weights + r->weights + (size_t)first * depth, depth, length, group,
                      r->weight_bits, expanded);
        for (pixel = 0; pixel < pixels; pixel += DIMMER_PANEL_PIXELS) {
            const uint32_t left = pixels - pixel;
            const uint32_t count = left < DIMMER_PANEL_PIXELS ? left : DIMMER_PANEL_PIXELS;
            uint32_t i;

            for (i = 0; i < count; ++i) {
                gather(r, input, y, x, panel + i);
                x += r->stride_w;
                if (x == end) {
                    x = -(int32_t)r->pad_left;
                    y += r->stride_h;
                }
            }
            dimmer_panel(expanded, panel, group, length, sums, 0u);
            dimmer_panel_store(sums, rescales + first, group, count, r,
                               output + (size_t)pixel * channels + first);
        }
    }
}

static inline void panel_layer(const dimmer_model_t *model, const dimmer_conv2d_s8_panel_t *panel,
                               uint8_t *arena) {
    const dimmer_conv2d_s8_t *r = &panel->conv;
    const int8_t *input = (const int8_t *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    dimmer_rescale_t *const rescales = (dimmer_rescale_t *)(void *)(arena + r->scratch);
    uint32_t batch;

    dimmer_require_conv2d(model, r, -22, -1);
    DIMMER_ASSERT((r->weight_bits != 8u) == DIMMER_KERNEL_SLICED);
    DIMMER_ASSERT(panel->group >= 1u && panel->group <= r->output_c);
    dimmer_panel_rescales(model, r, rescales);
    for (batch = 0; batch < r->batches; ++batch) {
        one_image(model, r, panel->group, input, rescales, (int32_t *)(void *)(rescales + r->output_c),
                  output);
        input += (size_t)r->input_h * r->input_w * r->input_c;
        output += (size_t)r->output_h * r->output_w * r->output_c;
    }
}

#endif
