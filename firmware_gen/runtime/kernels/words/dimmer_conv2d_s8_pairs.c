/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "pairs.h"
#include "panel.h"
#include "../common/require.h"

/* What the groups of a layer share. */
typedef struct {
    const dimmer_conv2d_s8_t *r;
    const int8_t *input;
    int8_t *output;
    uint32_t depth;
    uint32_t length; /* depth, as a multiple of 4 */
    int32_t *sums;
    int32_t *pixels;
    int32_t *weights;
} work_t;

/* The top left corner of a pixel's window. */
typedef struct {
    int32_t y;
    int32_t x;
} corner_t;

/* int32[length] of each channel's weights; what is behind them is 0. */
static void widen_weights(const work_t *w, const int8_t *from, uint32_t channels) {
    int32_t *to = w->weights;

    for (; channels != 0u; --channels) {
        const int8_t *const end = from + w->depth;
        int32_t *const next = to + w->length;

        while (from != end) {
            *to++ = *from++;
        }
        while (to != next) {
            *to++ = 0;
        }
    }
}

/* `count` elements of two rows to every second word; gives where the next ones belong. */
static int32_t *pair(const int8_t *a, const int8_t *b, uint32_t count, int32_t *to) {
    const int8_t *end = a + (count & ~3u);

    for (; a != end; a += 4, b += 4, to += 8) {
        to[0] = dimmer_pair_of(a[0], b[0]);
        to[2] = dimmer_pair_of(a[1], b[1]);
        to[4] = dimmer_pair_of(a[2], b[2]);
        to[6] = dimmer_pair_of(a[3], b[3]);
    }
    for (end = a + (count & 3u); a != end; to += 2) {
        *to = dimmer_pair_of(*a++, *b++);
    }
    return to;
}

/* Whether a row of the window lies in the input, in one piece. */
static int whole(const dimmer_conv2d_s8_t *r, corner_t at) {
    return at.y >= 0 && at.y < r->input_h && at.x >= 0 && at.x + r->kernel_w <= r->input_w &&
           r->dilation_w == 1u;
}

static const int8_t *element(const work_t *w, int32_t y, int32_t x) {
    return w->input + ((size_t)y * w->r->input_w + (size_t)x) * w->r->input_c;
}

/* Adds one pixel's row of the window, times `factor`, to what is in every second word. */
static int32_t *add_row(const work_t *w, corner_t at, int32_t factor, int32_t *to) {
    const dimmer_conv2d_s8_t *r = w->r;
    const int outside = at.y < 0 || at.y >= r->input_h;
    uint32_t kx;

    for (kx = 0; kx < r->kernel_w; ++kx, at.x += r->dilation_w) {
        const int8_t *from = outside || at.x < 0 || at.x >= r->input_w ? NULL : element(w, at.y, at.x);
        uint32_t c;

        for (c = 0; c < r->input_c; ++c, to += 2) {
            *to += factor * (from != NULL ? from[c] : r->input_zero_point);
        }
    }
    return to;
}

/* The windows at two corners to every second word of `to`. */
static void gather(const work_t *w, corner_t a, corner_t b, int32_t *to) {
    const dimmer_conv2d_s8_t *r = w->r;
    const uint32_t row = (uint32_t)r->kernel_w * r->input_c;
    uint32_t ky;

    for (ky = 0; ky < r->kernel_h; ++ky, a.y += r->dilation_h, b.y += r->dilation_h) {
        if (whole(r, a) && whole(r, b)) {
            to = pair(element(w, a.y, a.x), element(w, b.y, b.x), row, to);
        } else {
            uint32_t i;

            for (i = 0; i < row; ++i) {
                to[2u * i] = 0;
            }
            (void)add_row(w, a, 1, to);
            to = add_row(w, b, (int32_t)1 << DIMMER_PAIRS_BITS, to);
        }
    }
}

/* Where the next pixel's window begins. */
static corner_t next_corner(const dimmer_conv2d_s8_t *r, corner_t at) {
    at.x += r->stride_w;
    if (at.x == (int32_t)(r->output_w * r->stride_w) - r->pad_left) {
        at.x = -(int32_t)r->pad_left;
        at.y += r->stride_h;
    }
    return at;
}

static void one_group(const work_t *w, const dimmer_rescale_t *rescales, uint32_t first, uint32_t count) {
    const dimmer_conv2d_s8_t *r = w->r;
    const uint32_t pixels = (uint32_t)r->output_h * r->output_w;
    corner_t at = {-(int32_t)r->pad_top, -(int32_t)r->pad_left};
    int8_t *output = w->output + first;
    uint32_t pixel;

    for (pixel = 0; pixel < pixels;
         pixel += DIMMER_PAIRS_PIXELS, output += DIMMER_PAIRS_PIXELS * r->output_c) {
        const uint32_t left = pixels - pixel;
        uint32_t i;

        /* Windows behind the last pixel are padding, and what comes of them is not stored. */
        for (i = 0; i < 2u; ++i) {
            const corner_t other = next_corner(r, at);

            gather(w, at, other, w->pixels + i);
            at = next_corner(r, other);
        }
        dimmer_pairs(w->weights, w->pixels, count, w->length, w->sums);
        dimmer_panel_store(w->sums, rescales + first, count,
                           left < DIMMER_PAIRS_PIXELS ? left : DIMMER_PAIRS_PIXELS, r, output);
    }
}

void dimmer_conv2d_s8_pairs(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_conv2d_s8_pairs_t *pairs = (const dimmer_conv2d_s8_pairs_t *)record;
    const dimmer_conv2d_s8_t *r = &pairs->conv;
    dimmer_rescale_t *const rescales = (dimmer_rescale_t *)(void *)(arena + r->scratch);
    work_t w;
    uint32_t batch;

    dimmer_require_conv2d(model, r, -22, -1);
    DIMMER_ASSERT(pairs->group >= 1u && pairs->group <= r->output_c);
    w.r = r;
    w.depth = (uint32_t)r->kernel_h * r->kernel_w * r->input_c;
    w.length = (w.depth + 3u) & ~3u;
    w.sums = (int32_t *)(void *)(rescales + r->output_c);
    w.pixels = w.sums + DIMMER_PAIRS_PIXELS * pairs->group;
    w.weights = w.pixels + 2u * w.length;
    w.input = (const int8_t *)(arena + r->input);
    w.output = (int8_t *)(arena + r->output);
    memset(w.pixels, 0, 2u * w.length * sizeof *w.pixels);
    dimmer_panel_rescales(model, r, rescales);
    for (batch = 0; batch < r->batches; ++batch) {
        uint32_t first;

        for (first = 0; first < r->output_c; first += pairs->group) {
            const uint32_t left = (uint32_t)r->output_c - first;
            const uint32_t count = left < pairs->group ? left : pairs->group;

            widen_weights(&w, model->weights + r->weights + (size_t)first * w.depth, count);
            one_group(&w, rescales, first, count);
        }
        w.input += (size_t)r->input_h * r->input_w * r->input_c;
        w.output += (size_t)r->output_h * r->output_w * r->output_c;
    }
}
