/* SPDX-License-Identifier: Apache-2.0 */
/* The layer that direct_layer.h declares, once for each kind of weights. The file that includes this one
 * defines DIMMER_KERNEL_NAME, the function's name, and DIMMER_KERNEL_SLICED: 0, or 1 where weights are slices
 * of what is stored. Neither pays for the other. */
#ifndef DIMMER_DIRECT_BODY_H
#define DIMMER_DIRECT_BODY_H

#include "direct.h"
#include "direct_layer.h"
#include "sum_dsp.h"
#include "../common/require.h"

#if defined(__ARM_FEATURE_DSP)

#include "slices.h"

/* Where a layer's scratch lies, and what follows from its shape. */
typedef struct {
    const dimmer_conv2d_s8_t *r;
    const int8_t *input;
    const int8_t *residual; /* null where nothing is added */
    dimmer_sum_dsp_t sum;
    int32_t *panel;
    int32_t *panel_end;
    int32_t *pixels;
    int8_t *staging[2];
    int8_t *results[2];
    uint32_t row_bytes;
    uint32_t count; /* channels of the pass */
    int plain;      /* whether results go to the output as they are */
} work_t;

static void fill_panel(const dimmer_model_t *model, work_t *w, uint32_t first, uint32_t end) {
    const dimmer_conv2d_s8_t *r = w->r;
    const uint32_t depth = w->row_bytes * r->kernel_h;
    /* Where a kernel row ends at a multiple of 4, the rows of a channel are one. */
    const uint32_t rows = (w->row_bytes & 3u) == 0u ? 1u : r->kernel_h;
    const uint32_t row = depth / rows;
    int32_t *to = w->panel;
    uint32_t c;

    for (c = first; c < end; c += 2u) {
        const uint32_t d = c + 1u < end ? c + 1u : c;
        const int8_t *a = model->weights + r->weights + (size_t)c * depth;
        const int8_t *b = model->weights + r->weights + (size_t)d * depth;
        uint32_t i;

        if (DIMMER_KERNEL_SLICED) {
            /* There are no pixels yet. */
            int8_t *const slices = (int8_t *)w->pixels;

            dimmer_slice_fours(a, slices, depth, r->weight_bits);
            dimmer_slice_fours(b, slices + depth, depth, r->weight_bits);
            a = slices;
            b = slices + depth;
        }
        to = dimmer_direct_head(model, r, c, d, to);
        for (i = 0; i < rows; ++i, a += row, b += row) {
            to = dimmer_widen_pair(a, b, row, to);
        }
        to = dimmer_direct_tail(model, r, c, d, to);
    }
    w->panel_end = to;
    w->count = end - first;
}

/* What becomes of one pixel's channels: at `output` already, or in a buffer. `offset` is that of the output.
 */
static void finish(const work_t *w, int8_t *result, int8_t *output, size_t offset) {
    dimmer_clamp_run(w->r, result, w->count);
    if (w->residual != NULL) {
        dimmer_sum_run(&w->sum, result, w->residual + offset, output, w->count);
    } else {
        memcpy(output, result, w->count);
    }
}

/* Whether the whole kernel at (y, x) lies inside the input, its rows in one piece. */
static int inside(const dimmer_conv2d_s8_t *r, int32_t y, int32_t x) {
    return r->dilation_h == 1u && r->dilation_w == 1u && x >= 0 && x + r->kernel_w <= r->input_w && y >= 0 &&
           y + r->kernel_h <= r->input_h;
}

/* The inputs of the two pixels at corners. */
static int32_t *widen(const work_t *w, const int32_t corners[4]) {
    const dimmer_conv2d_s8_t *r = w->r;
    const size_t row = (size_t)r->input_w * r->input_c;
    int32_t *to = w->pixels;
    uint32_t ky;

    if (inside(r, corners[0], corners[1]) && inside(r, corners[2], corners[3])) {
        const int8_t *a = w->input + (size_t)corners[0] * row + (size_t)corners[1] * r->input_c;
        const int8_t *b = w->input + (size_t)corners[2] * row + (size_t)corners[3] * r->input_c;

        for (ky = r->kernel_h; ky != 0u; --ky, a += row, b += row) {
            to = dimmer_widen_pair(a, b, w->row_bytes, to);
        }
        return to;
    }
    for (ky = 0; ky < r->kernel_h; ++ky) {
        const int32_t dy = (int32_t)(ky * r->dilation_h);
        const int8_t *a = dimmer_kernel_row(r, w->input, corners[0] + dy, corners[1], w->staging[0]);
        const int8_t *b = dimmer_kernel_row(r, w->input, corners[2] + dy, corners[3], w->staging[1]);

        to = dimmer_widen_pair(a, b, w->row_bytes, to);
    }
    return to;
}

/* The pixels at corners, the second one only if it is not alone. */
static void two_pixels(const work_t *w, const int32_t corners[4], int8_t *output, size_t offset, int alone) {
    const int32_t *const end = widen(w, corners);

    /* The kernel stores pairs of channels and of pixels. */
    if (w->plain && (w->count & 1u) == 0u && !alone) {
        dimmer_direct_2x2(w->panel, w->panel_end, w->pixels, end, output + offset,
                          output + offset + w->r->output_c);
        return;
    }
    dimmer_direct_2x2(w->panel, w->panel_end, w->pixels, end, w->results[0], w->results[1]);
    finish(w, w->results[0], output + offset, offset);
    if (!alone) {
        offset += w->r->output_c;
        finish(w, w->results[1], output + offset, offset);
    }
}

void DIMMER_KERNEL_NAME(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t group,
                        const dimmer_add_s8_t *add, uint32_t operand, uint8_t *arena) {
    const uint32_t row_bytes = (uint32_t)r->kernel_w * r->input_c;
    const uint32_t groups = (row_bytes + 3u) / 4u * r->kernel_h;
    const uint32_t pairs = (group + 1u) / 2u;
    const uint32_t pixels = (uint32_t)r->output_h * r->output_w;
    work_t w;
    uint32_t first;

    dimmer_require_conv2d(model, r, -22, -1);
    DIMMER_ASSERT((r->weight_bits != 8u) == DIMMER_KERNEL_SLICED);
    DIMMER_ASSERT(r->batches == 1u && group >= 1u && (group % 2u == 0u || group == r->output_c));
    w.r = r;
    w.row_bytes = row_bytes;
    w.input = (const int8_t *)(arena + r->input);
    w.residual = NULL;
    w.plain = add == NULL && r->activation_min <= -128 && r->activation_max >= 127;
    w.panel = (int32_t *)(void *)(arena + r->scratch);
    if (add != NULL) {
        dimmer_require_plain_sum(add, -22, -1);
        DIMMER_ASSERT(operand == 1u || operand == 2u);
        w.residual = (const int8_t *)(arena + (operand == 1u ? add->input2 : add->input1));
        w.sum = dimmer_sum_operand(add, operand, w.panel);
        w.panel += dimmer_sum_words(add);
    }
    w.pixels = w.panel + pairs * (4u * groups + DIMMER_DIRECT_HEAD + DIMMER_DIRECT_TAIL);
    w.results[0] = (int8_t *)(w.pixels + 4u * groups);
    w.results[1] = w.results[0] + 2u * pairs;
    w.staging[0] = w.results[1] + 2u * pairs;
    w.staging[1] = w.staging[0] + row_bytes;
    for (first = 0; first < r->output_c; first += group) {
        size_t offset = first;
        int32_t corners[4];
        uint32_t pixel;
        uint32_t x = 0;
        int32_t y = -r->pad_top;

        fill_panel(model, &w, first, first + group < r->output_c ? first + group : r->output_c);
        for (pixel = 0; pixel < pixels; pixel += 2u) {
            uint32_t i;

            for (i = 0; i < 4u; i += 2u) {
                corners[i] = y;
                corners[i + 1u] = (int32_t)(x * r->stride_w) - r->pad_left;
                if (++x == r->output_w) {
                    x = 0;
                    y += r->stride_h;
                }
            }
            two_pixels(&w, corners, (int8_t *)(arena + r->output), offset, pixel + 1u == pixels);
            offset += 2u * (size_t)r->output_c;
        }
    }
}

#endif

#endif
