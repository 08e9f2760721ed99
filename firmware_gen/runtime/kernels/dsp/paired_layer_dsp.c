/* SPDX-License-Identifier: Apache-2.0 */
#include "direct.h"
#include "paired.h"
#include "sum_dsp.h"
#include "../common/require.h"

#if defined(__ARM_FEATURE_DSP)

#include <string.h>
#include "dimmer_small_code.h"

/* Where a layer's scratch lies, and what follows from its shape. A tile is two pixels side by side, or one
 * below the other where that makes fewer tiles. Tiles below each other share rows of inputs. */
typedef struct {
    const dimmer_conv2d_s8_t *r;
    const int8_t *input;
    int8_t *output;
    const int8_t *residual; /* null where nothing is added */
    dimmer_sum_dsp_t sum;
    dimmer_paired_t tiles;
    dimmer_widen_t widen;
    int32_t *pixels;
    int8_t *patches[2];
    int8_t *results;
    uint32_t row_bytes; /* of a row of the kernel */
    uint32_t channels;  /* of results */
    uint32_t right;     /* from the first to the second pixel of a tile */
    uint32_t below;
    uint32_t unit;    /* rows of the input from one that is held to the next one */
    uint32_t advance; /* rows that are held from a tile to the one below */
    int plain;        /* whether results go to the output as they are */
    int signed_steps;
} work_t;

static uint32_t less(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

static void run(const work_t *w) {
    if (w->signed_steps) {
        dimmer_paired_2x4_signed(&w->tiles);
    } else {
        dimmer_paired_2x4(&w->tiles);
    }
}

/* Inputs under a row of the kernel, in whole words: in place where it can be, else at `patch`. */
static const int8_t *row_at(const work_t *w, int32_t y, int32_t x, int8_t *patch) {
    const int8_t *const row = dimmer_kernel_row(w->r, w->input, y, x, patch);

    /* Behind the last row there may be nothing that could be read. */
    return row != patch && y + 1 == w->r->input_h ? (const int8_t *)memcpy(patch, row, w->row_bytes) : row;
}

/* `count` rows of inputs from (y, x) on, of both pixels. */
static void hold_rows(work_t *w, int32_t y, int32_t x, uint32_t count) {
    const dimmer_conv2d_s8_t *r = w->r;
    const int32_t y1 = (int32_t)(w->below * r->stride_h);
    const int32_t x1 = (int32_t)(w->right * r->stride_w);
    const int inside = r->dilation_w == 1u && x >= 0 && x + x1 + r->kernel_w <= r->input_w;
    const int32_t rows_end = r->input_h - y1 - (w->widen.rest != 0u);
    int32_t *to = w->pixels;

    while (count != 0u) {
        w->widen.rows = 1u;
        if (inside && y >= 0 && y < rows_end) {
            const size_t row = (size_t)r->input_w * r->input_c;
            const int8_t *const at = w->input + (size_t)y * row + (size_t)x * r->input_c;

            w->widen.rows = less(count, ((uint32_t)(rows_end - y) + w->unit - 1u) / w->unit);
            to = dimmer_widen_rows(at, at + (size_t)y1 * row + (size_t)x1 * r->input_c, &w->widen, to);
        } else {
            const int8_t *const first = row_at(w, y, x, w->patches[0]);
            const int8_t *const second = row_at(w, y + y1, x + x1, w->patches[1]);

            to = dimmer_widen_rows(first, second, &w->widen, to);
        }
        count -= w->widen.rows;
        y += (int32_t)(w->widen.rows * w->unit);
    }
}

/* What becomes of the results of a pixel. */
static void store(const work_t *w, const int8_t *result, size_t offset) {
    if (w->residual != NULL) {
        dimmer_sum_run(&w->sum, result, w->residual + offset, w->output + offset, w->r->output_c);
    } else {
        memcpy(w->output + offset, result, w->r->output_c);
    }
}

/* `count` tiles below each other, the first one at (y, x) of the output; where `done`, its first pixel has
 * been computed before, and where `all_done`, that of each tile: what is added may lie where it was. */
static void column(work_t *w, uint32_t y, uint32_t x, uint32_t count, int done, int all_done) {
    const dimmer_conv2d_s8_t *r = w->r;
    const size_t down = (size_t)(1u + w->below) * r->output_w * r->output_c;
    const size_t second = (size_t)(w->below * r->output_w + w->right) * r->output_c;
    size_t offset = ((size_t)y * r->output_w + x) * r->output_c;
    const int8_t *result = w->results;

    hold_rows(w, (int32_t)(y * r->stride_h) - r->pad_top, (int32_t)(x * r->stride_w) - r->pad_left,
              (count - 1u) * w->advance + r->kernel_h);
    w->tiles.tiles = count;
    w->tiles.output0 = w->plain ? w->output + offset : w->results;
    w->tiles.output1 = w->tiles.output0 + (w->plain ? second : w->channels);
    w->tiles.next_outputs = w->plain ? (uint32_t)down - w->channels : w->channels;
    run(w);
    if (w->plain) {
        return;
    }
    dimmer_clamp_run(r, w->results, 2u * count * w->channels);
    for (; count != 0u; --count, offset += down, result += 2u * w->channels, done = all_done) {
        if (!done) {
            store(w, result, offset);
        }
        if (second != 0u) {
            store(w, result + w->channels, offset + second);
        }
    }
}

/* From (y0, x0) on. The last tile of an odd number of pixels begins at a pixel that has been computed before.
 */
static void columns(work_t *w, uint32_t y0, uint32_t x0, uint32_t strip) {
    const dimmer_conv2d_s8_t *r = w->r;

    for (; x0 < r->output_w; x0 += 1u + w->right) {
        const uint32_t x = less(x0, r->output_w - 1u - w->right);
        uint32_t count;
        uint32_t at;

        for (at = y0; at < r->output_h; at += count * (1u + w->below)) {
            const uint32_t y = less(at, r->output_h - 1u - w->below);

            count = less(strip, (r->output_h - y) / (1u + w->below));
            column(w, y, x, count, x != x0 || y != at, x != x0);
        }
    }
}

/* Whether the inputs of a pixel are all of the same pixel, in whole words. */
static int pointwise(const dimmer_conv2d_s8_t *r) {
    return r->kernel_h == 1u && r->kernel_w == 1u && r->stride_h == 1u && r->stride_w == 1u &&
           r->pad_top == 0u && r->pad_left == 0u && r->output_h == r->input_h && r->output_w == r->input_w &&
           r->input_c % 4u == 0u;
}

/* Two pixels at a time in a row, from the first one on. */
static void in_a_row(work_t *w, uint32_t tiles) {
    w->tiles.words = w->row_bytes / 4u;
    w->tiles.next_pixels = 0u;
    w->tiles.next_outputs = w->channels;
    w->tiles.input0 = w->input;
    w->tiles.input1 = w->input + w->row_bytes;
    w->tiles.output0 = w->output;
    w->tiles.output1 = w->output + w->channels;
    w->tiles.tiles = tiles;
    run(w);
    w->tiles.words = 0u;
}

void dimmer_paired_layer(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t step,
                         uint32_t strip, const dimmer_add_s8_t *add, uint32_t operand, uint8_t *arena) {
    const uint32_t row_bytes = (uint32_t)r->kernel_w * r->input_c;
    const uint32_t steps = dimmer_paired_steps(row_bytes);
    const uint32_t all = steps * r->kernel_h;
    const uint32_t turn = step != 0u ? DIMMER_PAIRED_TURN_SIGNED : DIMMER_PAIRED_TURN;
    const uint32_t channels = ((uint32_t)r->output_c + 3u) & ~(uint32_t)3;
    const uint32_t beside = (r->output_w + 1u) / 2u * (uint32_t)r->output_h;
    const uint32_t stacked = (r->output_h + 1u) / 2u * (uint32_t)r->output_w;
    const uint32_t pixels = (uint32_t)r->output_h * r->output_w;
    uint32_t down;
    uint32_t y = 0;
    uint32_t x = 0;
    work_t w;

    DIMMER_ASSERT(r->batches == 1u && r->weights % 4u == 0u && step <= 1u && strip >= 1u);
    DIMMER_ASSERT(step != 0u || all <= DIMMER_PAIRED_TURN << (31 - DIMMER_PAIRED_TURNS_SHIFT));
    w.r = r;
    w.row_bytes = row_bytes;
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
    w.below = beside > stacked;
    w.right = !w.below && r->output_w > 1u;
    down = r->stride_h * (1u + w.below);
    w.unit = r->kernel_h == 1u ? down : r->dilation_h;
    w.advance = down / w.unit;
    if (w.advance * w.unit != down) {
        strip = 1u;
    }
    w.widen.words = row_bytes / 4u;
    w.widen.rest = row_bytes % 4u;
    w.widen.step = w.unit * r->input_w * r->input_c - 4u * w.widen.words;
    w.patches[0] = (int8_t *)(w.pixels + 2u * steps * ((strip - 1u) * w.advance + r->kernel_h));
    w.patches[1] = w.patches[0] + ((row_bytes + 3u) & ~(uint32_t)3);
    w.results = w.patches[1] + ((row_bytes + 3u) & ~(uint32_t)3);
    w.tiles.params = w.tiles.params_begin = model->params + r->bias;
    w.tiles.pixels = w.pixels;
    w.tiles.next_pixels = 8u * steps * w.advance;
    w.tiles.entry = (turn - 1u - (all - 1u) % turn) * DIMMER_PAIRED_STEP + 1u;
    if (step != 0u) {
        w.tiles.second = 0;
        w.tiles.loop.pixels_end = w.pixels + 2u * all;
    } else {
        w.tiles.second = DIMMER_PAIRED_SECOND;
        w.tiles.loop.turns = (int32_t)((all - 1u) / turn << DIMMER_PAIRED_TURNS_SHIFT) - DIMMER_PAIRED_SECOND;
    }
    w.tiles.weights = model->weights + r->weights;
    w.tiles.weights_end = w.tiles.weights + (size_t)channels * 2u * all;
    w.tiles.start = (int32_t)((uint32_t)r->output_zero_point << DIMMER_RESCALE_SHIFT) +
                    ((int32_t)1 << (DIMMER_RESCALE_SHIFT - 1));
    w.tiles.words = 0u;
    if (w.plain && step == 0u && pointwise(r) && pixels > 1u) {
        in_a_row(&w, pixels / 2u);
        /* One of an odd number is left, the last. */
        y = r->output_h - pixels % 2u;
        x = r->output_w - 1u;
    }
    columns(&w, y, x, strip);
}

#endif
