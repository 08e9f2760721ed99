/* SPDX-License-Identifier: Apache-2.0 */
#include "direct.h"
#include "paired.h"
#include "sum_dsp.h"
#include "../common/require.h"

#if defined(__ARM_FEATURE_DSP)

#include <string.h>

/* Where a layer's scratch lies, and what follows from its shape. */
typedef struct {
    const dimmer_conv2d_s8_t *r;
    const int8_t *input;
    int8_t *output;
    const int8_t *residual; /* null where nothing is added */
    dimmer_sum_dsp_t sum;
    dimmer_widen_t widen;
    int32_t *pixels;
    int8_t *patches[2];
    int8_t *results;
    uint32_t row_bytes;
    uint32_t channels; /* of results */
    uint32_t tiles;    /* that are widened at a time */
    int plain;         /* whether results go to the output as they are */
    int signed_steps;
} work_t;

/* Where the kernel of a pixel begins. */
typedef struct {
    uint32_t x; /* of the output */
    int32_t top;
    int32_t left;
    int rows_inside; /* whether all its rows lie inside the input, one below the other */
} corner_t;

static int rows_inside(const dimmer_conv2d_s8_t *r, int32_t top) {
    return r->dilation_h == 1u && r->dilation_w == 1u && top >= 0 && top + r->kernel_h <= r->input_h;
}

static corner_t corner_of(const dimmer_conv2d_s8_t *r, uint32_t pixel) {
    corner_t c;

    c.x = pixel % r->output_w;
    c.top = (int32_t)(pixel / r->output_w * r->stride_h) - r->pad_top;
    c.left = (int32_t)(c.x * r->stride_w) - r->pad_left;
    c.rows_inside = rows_inside(r, c.top);
    return c;
}

static inline void advance(const dimmer_conv2d_s8_t *r, corner_t *c) {
    c->left += r->stride_w;
    if (++c->x == r->output_w) {
        c->x = 0;
        c->top += r->stride_h;
        c->left = -(int32_t)r->pad_left;
        c->rows_inside = rows_inside(r, c->top);
    }
}

static inline int inside(const dimmer_conv2d_s8_t *r, const corner_t *c) {
    return c->rows_inside && c->left >= 0 && c->left + r->kernel_w <= r->input_w;
}

static inline const int8_t *begin_of(const work_t *w, const corner_t *c) {
    return w->input + ((uint32_t)c->top * w->r->input_w + (uint32_t)c->left) * w->r->input_c;
}

/* The inputs of a pixel, row by row. */
static const int8_t *patch(const work_t *w, const corner_t *c, int8_t *to) {
    const dimmer_conv2d_s8_t *r = w->r;
    int8_t *const begin = to;
    int32_t y = c->top;
    uint32_t ky;

    for (ky = r->kernel_h; ky != 0u; --ky, y += r->dilation_h, to += w->row_bytes) {
        const int8_t *const row = dimmer_kernel_row(r, w->input, y, c->left, to);

        if (row != to) {
            memcpy(to, row, w->row_bytes);
        }
    }
    return begin;
}

/* The inputs of two pixels. */
static int32_t *two_pixels(const work_t *w, const corner_t *first, const corner_t *second, int32_t *to) {
    dimmer_widen_t at_once;

    if (inside(w->r, first) && inside(w->r, second)) {
        return dimmer_widen_rows(begin_of(w, first), begin_of(w, second), &w->widen, to);
    }
    at_once = w->widen;
    at_once.step = 0u;
    return dimmer_widen_rows(patch(w, first, w->patches[0]), patch(w, second, w->patches[1]), &at_once, to);
}

/* What becomes of `count` pixels' channels, the first one `offset` behind the first output. */
static void finish(const work_t *w, uint32_t count, size_t offset) {
    const uint32_t channels = w->r->output_c;
    const int8_t *result = w->results;
    uint32_t run = count * channels;

    if (channels != w->channels) {
        run = channels;
    } else {
        count = 1u;
    }
    dimmer_clamp_run(w->r, w->results, count * w->channels > run ? count * w->channels : run);
    for (; count != 0u; --count, result += w->channels, offset += channels) {
        if (w->residual != NULL) {
            dimmer_sum_run(&w->sum, result, w->residual + offset, w->output + offset, run);
        } else {
            memcpy(w->output + offset, result, run);
        }
    }
}

static void run(const work_t *w, const dimmer_paired_t *work) {
    if (w->signed_steps) {
        dimmer_paired_2x4_signed(work);
    } else {
        dimmer_paired_2x4(work);
    }
}

/* The pixels from `pixel` on, some tiles at a time. */
static void pixels_from(const work_t *w, dimmer_paired_t *work, uint32_t pixel) {
    const dimmer_conv2d_s8_t *r = w->r;
    const uint32_t pixels = (uint32_t)r->output_h * r->output_w;
    corner_t corner = corner_of(r, pixel);

    work->words = 0u;
    while (pixel < pixels) {
        const size_t offset = (size_t)pixel * r->output_c;
        const uint32_t left = pixels - pixel;
        const uint32_t count = left < 2u * w->tiles ? left : 2u * w->tiles;
        const int stored = w->plain && count % 2u == 0u;
        int32_t *to = w->pixels;
        uint32_t i;

        work->tiles = (count + 1u) / 2u;
        for (i = work->tiles; i != 0u; --i) {
            const corner_t first = corner;

            advance(r, &corner);
            to = two_pixels(w, &first, i == 1u && count % 2u != 0u ? &first : &corner, to);
            advance(r, &corner);
        }
        work->output0 = stored ? w->output + offset : w->results;
        work->output1 = work->output0 + w->channels;
        run(w, work);
        if (!stored) {
            finish(w, count, offset);
        }
        pixel += count;
    }
}

/* Whether the inputs of a pixel are all of the same pixel, in whole words. */
static int pointwise(const dimmer_conv2d_s8_t *r) {
    return r->kernel_h == 1u && r->kernel_w == 1u && r->stride_h == 1u && r->stride_w == 1u &&
           r->pad_top == 0u && r->pad_left == 0u && r->output_h == r->input_h && r->output_w == r->input_w &&
           r->input_c % 4u == 0u;
}

void dimmer_paired_layer(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t step,
                         const dimmer_add_s8_t *add, uint32_t operand, uint8_t *arena) {
    const uint32_t depth = (uint32_t)r->kernel_h * r->kernel_w * r->input_c;
    const uint32_t padded = (depth + 3u) & ~(uint32_t)3;
    const uint32_t channels = ((uint32_t)r->output_c + 3u) & ~(uint32_t)3;
    dimmer_paired_t work;
    work_t w;

    const uint32_t rest = (uint32_t)r->kernel_w * r->input_c % 4u;
    const uint32_t rests = (rest * r->kernel_h + 3u) & ~(uint32_t)3;
    uint32_t done = 0;

    DIMMER_ASSERT(r->batches == 1u && r->weights % 4u == 0u && step <= 1u);
    w.r = r;
    w.row_bytes = (uint32_t)r->kernel_w * r->input_c;
    w.input = (const int8_t *)(arena + r->input);
    w.output = (int8_t *)(arena + r->output);
    w.residual = NULL;
    w.signed_steps = step != 0u;
    w.plain = add == NULL && r->activation_min <= -128 && r->activation_max >= 127 && channels == r->output_c;
    w.pixels = (int32_t *)(void *)(arena + r->scratch);
    if (add != NULL) {
        dimmer_require_plain_sum(add, -22, -1);
        DIMMER_ASSERT(operand == 1u || operand == 2u);
        w.residual = (const int8_t *)(arena + (operand == 1u ? add->input2 : add->input1));
        w.sum = dimmer_sum_operand(add, operand, w.pixels);
        w.pixels += dimmer_sum_words(add);
    }
    w.channels = channels;
    w.tiles = DIMMER_PAIRED_INPUTS / padded;
    w.tiles = w.tiles > DIMMER_PAIRED_TILES ? DIMMER_PAIRED_TILES : w.tiles == 0u ? 1u : w.tiles;
    w.widen.words = w.row_bytes / 4u;
    w.widen.rest = rest;
    w.widen.rest0 = (int8_t *)(w.pixels + w.tiles * padded);
    w.widen.rest1 = w.widen.rest0 + rests;
    w.widen.rest_words = rests / 4u;
    w.widen.rows = r->kernel_h;
    w.widen.step = (uint32_t)r->input_w * r->input_c - w.row_bytes;
    w.results = w.widen.rest1 + rests;
    w.patches[0] = w.results + 2u * w.tiles * channels;
    w.patches[1] = w.patches[0] + depth;
    memset(w.widen.rest0, 0, 2u * rests);
    work.params = work.params_begin = model->params + r->bias;
    work.pixels = w.pixels;
    work.pixels_end = w.pixels + padded;
    work.weights = model->weights + r->weights;
    work.weights_end = work.weights + (size_t)channels * padded;
    work.start = (int32_t)((uint32_t)r->output_zero_point << DIMMER_RESCALE_SHIFT) +
                 ((int32_t)1 << (DIMMER_RESCALE_SHIFT - 1));
    work.tiles = (uint32_t)r->output_h * r->output_w / 2u;
    if (w.plain && pointwise(r) && work.tiles != 0u) {
        work.input0 = w.input;
        work.input1 = w.input + depth;
        work.words = depth / 4u;
        work.output0 = w.output;
        work.output1 = w.output + channels;
        run(&w, &work);
        done = 2u * work.tiles;
    }
    pixels_from(&w, &work, done);
}

#endif
