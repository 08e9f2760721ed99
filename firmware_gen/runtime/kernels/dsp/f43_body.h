/* SPDX-License-Identifier: Apache-2.0 */
/* The layer that f43.h declares, once for each kind of weights. The file that includes this one
 * defines DIMMER_KERNEL_NAME, the function's name, and DIMMER_KERNEL_SLICED: 0, or 1 where weights are slices
 * of what is stored. Neither pays for the other. */
#ifndef DIMMER_F43_BODY_H
#define DIMMER_F43_BODY_H

#include "direct.h"
#include "sum_dsp.h"
#include "f43.h"
#include "../common/require.h"

#if defined(__ARM_FEATURE_DSP)

#include "slices.h"
#include "dimmer_small_code.h"

/* Where a layer's scratch lies, and what follows from its shape. */
typedef struct {
    const dimmer_conv2d_s8_t *r;
    const int8_t *input;
    int8_t *output;
    const int8_t *residual; /* null where nothing is added */
    dimmer_sum_dsp_t sum;
    int32_t *panel;
    int32_t *panel_end;
    int32_t *tiles; /* int32[pairs of tiles][points][rows of the strip][input_c] */
    int8_t *staging;
    int8_t *results; /* int8[2][DIMMER_F43_TILE][count] */
    uint32_t rows;   /* of the input under a strip */
    uint32_t tile_pairs;
    uint32_t first; /* channels of the pass */
    uint32_t count;
    int plain; /* whether results go to the output as they are */
} work_t;

static void fill_panel(const dimmer_model_t *model, work_t *w) {
    const dimmer_conv2d_s8_t *r = w->r;
    const uint32_t channels = r->input_c;
    const uint32_t spacing = (uint32_t)r->kernel_h * channels;
    int32_t *to = w->panel;
    uint32_t c;

    for (c = w->first; c < w->first + w->count; c += 2u) {
        uint32_t i;

        for (i = 0; i < 2u; ++i) {
            const int8_t *weights = model->weights + r->weights + (size_t)(c + i) * 3u * spacing;
            uint32_t ky;

            for (ky = 0; ky < r->kernel_h; ++ky, weights += 3u * channels) {
                const int8_t *row = weights;

                if (DIMMER_KERNEL_SLICED) {
                    dimmer_slice_fours(weights, w->staging, 3u * channels, r->weight_bits);
                    row = w->staging;
                }
                dimmer_f43_weights(row, channels, to + ky * channels + 2u * i, spacing);
            }
        }
        to += DIMMER_F43_POINTS * spacing;
        for (i = 0; i < 2u; ++i) {
            const int32_t shift = -model->shifts[r->shifts + c + i];

            *to++ = 2 * model->params[r->bias + c + i];
            *to++ = model->params[r->multipliers + c + i];
            *to++ = (int32_t)((uint32_t)r->output_zero_point << shift) + ((int32_t)1 << (shift - 1));
            *to++ = shift;
        }
    }
    w->panel_end = to;
}

/* Six columns of the input from (y, x) on: in place where they can be, else gathered. */
static const int8_t *columns(const work_t *w, int32_t y, int32_t x) {
    const dimmer_conv2d_s8_t *r = w->r;
    const uint32_t channels = r->input_c;
    const int8_t *row;

    if ((uint32_t)y >= r->input_h) {
        memset(w->staging, r->input_zero_point, DIMMER_F43_COLUMNS * channels);
        return w->staging;
    }
    row = w->input + (size_t)y * r->input_w * channels;
    if (x >= 0 && x + (int32_t)DIMMER_F43_COLUMNS <= r->input_w) {
        return row + (size_t)x * channels;
    }
    dimmer_copy_columns(r, row, x, (int32_t)DIMMER_F43_COLUMNS, w->staging);
    return w->staging;
}

/* The inputs of a strip whose first row is `top`. */
static void fill_tiles(const work_t *w, int32_t top) {
    const uint32_t channels = w->r->input_c;
    const uint32_t spacing = w->rows * channels;
    uint32_t row;

    for (row = 0; row < w->rows; ++row) {
        int32_t *to = w->tiles + row * channels;
        int32_t x = -w->r->pad_left;
        uint32_t pair;

        for (pair = 0; pair < w->tile_pairs; ++pair) {
            uint32_t i;

            for (i = 0; i < 2u; ++i, x += (int32_t)DIMMER_F43_TILE) {
                dimmer_f43_inputs(columns(w, top + (int32_t)row, x), channels, to + 2u * i, spacing);
            }
            to += DIMMER_F43_POINTS * spacing;
        }
    }
}

/* Brings the results of one tile, pixels [x, output_w) of row y at most, to the output. */
static void finish(const work_t *w, int8_t *result, uint32_t y, uint32_t x) {
    const dimmer_conv2d_s8_t *r = w->r;
    uint32_t end = x + DIMMER_F43_TILE;
    uint32_t step;
    uint32_t run;

    if (end > r->output_w) {
        end = r->output_w;
    }
    /* Where all channels are there, all pixels are one run. */
    for (step = w->count == r->output_c && x < end ? end - x : 1u; x < end; x += step, result += run) {
        const size_t offset = ((size_t)y * r->output_w + x) * r->output_c + w->first;

        run = step * w->count;
        dimmer_clamp_run(r, result, run);
        if (w->residual != NULL) {
            dimmer_sum_run(&w->sum, result, w->residual + offset, w->output + offset, run);
        } else {
            memcpy(w->output + offset, result, run);
        }
    }
}

/* Row y of the output, the first one of whose inputs is `row` of the strip. */
static void one_row(const work_t *w, uint32_t y, uint32_t row) {
    const dimmer_conv2d_s8_t *r = w->r;
    const uint32_t channels = r->input_c;
    dimmer_f43_t tiles;
    uint32_t pair;
    uint32_t x = 0;

    tiles.panel = w->panel;
    tiles.panel_end = w->panel_end;
    tiles.bytes = 4u * r->kernel_h * channels;
    tiles.jump = 4u * (w->rows - r->kernel_h) * channels;
    for (pair = 0; pair < w->tile_pairs; ++pair, x += 2u * DIMMER_F43_TILE) {
        const int plain = w->plain && x + 2u * DIMMER_F43_TILE <= r->output_w;

        tiles.pixels = w->tiles + (DIMMER_F43_POINTS * pair * w->rows + row) * channels;
        tiles.output0 = w->results;
        tiles.output1 = w->results + DIMMER_F43_TILE * w->count;
        tiles.stride = w->count;
        if (plain) {
            tiles.output0 = w->output + ((size_t)y * r->output_w + x) * r->output_c + w->first;
            tiles.output1 = tiles.output0 + DIMMER_F43_TILE * r->output_c;
            tiles.stride = r->output_c;
        }
        dimmer_f43_2x2(&tiles);
        if (!plain) {
            finish(w, w->results, y, x);
            finish(w, w->results + DIMMER_F43_TILE * w->count, y, x + DIMMER_F43_TILE);
        }
    }
}

void DIMMER_KERNEL_NAME(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t group,
                        uint32_t strip, const dimmer_add_s8_t *add, uint32_t operand, uint8_t *arena) {
    const uint32_t channels = r->input_c;
    work_t w;
    uint32_t y;

    dimmer_require_conv2d(model, r, -22, -1);
    DIMMER_ASSERT((r->weight_bits != 8u) == DIMMER_KERNEL_SLICED);
    DIMMER_ASSERT(r->batches == 1u && r->kernel_w == 3u && r->stride_w == 1u);
    DIMMER_ASSERT(r->dilation_h == 1u && r->dilation_w == 1u && channels % 4u == 0u);
    DIMMER_ASSERT(r->output_c % 2u == 0u && group >= 2u && group % 2u == 0u && strip >= 1u);
    w.r = r;
    w.input = (const int8_t *)(arena + r->input);
    w.output = (int8_t *)(arena + r->output);
    w.residual = NULL;
    w.plain = add == NULL && r->activation_min <= -128 && r->activation_max >= 127;
    w.rows = (strip - 1u) * r->stride_h + r->kernel_h;
    w.tile_pairs = (r->output_w + 2u * DIMMER_F43_TILE - 1u) / (2u * DIMMER_F43_TILE);
    w.panel = (int32_t *)(void *)(arena + r->scratch);
    if (add != NULL) {
        dimmer_require_plain_sum(add, -22, -1);
        DIMMER_ASSERT(operand == 1u || operand == 2u);
        w.residual = (const int8_t *)(arena + (operand == 1u ? add->input2 : add->input1));
        w.sum = dimmer_sum_operand(add, operand, w.panel);
        w.panel += dimmer_sum_words(add);
    }
    w.tiles = w.panel + group / 2u * (DIMMER_F43_POINTS * r->kernel_h * channels + 8u);
    w.staging = (int8_t *)(w.tiles + w.tile_pairs * DIMMER_F43_POINTS * w.rows * channels);
    w.results = w.staging + DIMMER_F43_COLUMNS * channels;
    for (w.first = 0; w.first < r->output_c; w.first += group) {
        w.count = w.first + group < r->output_c ? group : r->output_c - w.first;
        fill_panel(model, &w);
        for (y = 0; y < r->output_h; ++y) {
            const uint32_t row = y % strip;

            /* One strip that is the whole layer holds for all passes. */
            if (row == 0u && (w.first == 0u || strip < r->output_h)) {
                fill_tiles(&w, (int32_t)(y * r->stride_h) - r->pad_top);
            }
            one_row(&w, y, row * r->stride_h);
        }
    }
}

#endif

#endif
