/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "pairs.h"
#include "../common/require.h"

/* What the groups of a layer share. */
typedef struct {
    const dimmer_conv2d_s8_t *r;
    const int8_t *input;
    int8_t *output;
    dimmer_rescale_t *rescales;
    dimmer_panel_small_t *smalls; /* null where sums are not small */
    uint32_t row;                 /* bytes of a row of a window */
    uint32_t depth;               /* of a window */
    uint32_t length;              /* words of a window, a multiple of 4 */
    int32_t *sums;
    int32_t *pixels;
    int32_t *weights;
    int8_t *patch; /* a window, where it does not lie in the input in whole words */
} work_t;

/* The top left corner of a pixel's window. */
typedef struct {
    int32_t y;
    int32_t x;
} corner_t;

/* int32[length] of each channel's weights; what is behind them is 0. The first of two terms is above the
 * second. */
static void widen_weights(const work_t *w, const int8_t *from, uint32_t channels) {
    const uint32_t left = w->depth % 4u;
    int32_t *to = w->weights;

    for (; channels != 0u; --channels) {
        const int8_t *const end = from + (w->depth - left);
        int32_t *const next = to + w->length;

        for (; from != end; from += 4, to += 2) {
            to[0] = dimmer_pair_of(from[2], from[0]);
            to[1] = dimmer_pair_of(from[3], from[1]);
        }
        if (left != 0u) {
            *to++ = dimmer_pair_of(left > 2u ? from[2] : 0, from[0]);
            *to++ = dimmer_pair_of(0, left > 1u ? from[1] : 0);
            from += left;
        }
        while (to != next) {
            *to++ = 0;
        }
    }
}

/* Elements 0 and 2, 1 and 3 of every four to every fourth word; gives where the next ones belong. */
static int32_t *pack(const int8_t *from, uint32_t bytes, int32_t *to) {
    const int8_t *const end = from + bytes;

/* 128 more than each element fits a byte without a sign. */
#define FOUR(x)                                                                                              \
    x ^= 0x80808080u;                                                                                        \
    to[0] = (int32_t)((x & 0x00FF00FFu) - 0x00800080u);                                                      \
    to[DIMMER_PAIRS_PIXELS] = (int32_t)(((x >> 8) & 0x00FF00FFu) - 0x00800080u)
    if ((uintptr_t)from % 4u == 0u) {
        for (; from != end; from += 4, to += 2u * DIMMER_PAIRS_PIXELS) {
            uint32_t x = *(const uint32_t *)(const void *)from;

            FOUR(x);
        }
    } else {
        for (; from != end; from += 4, to += 2u * DIMMER_PAIRS_PIXELS) {
            uint32_t x;

            memcpy(&x, from, sizeof x);
            FOUR(x);
        }
    }
#undef FOUR
    return to;
}

/* Whether a row of the window lies in the input, in one piece. */
static int whole(const dimmer_conv2d_s8_t *r, corner_t at) {
    return at.y >= 0 && at.y < r->input_h && at.x >= 0 && at.x + r->kernel_w <= r->input_w &&
           r->dilation_w == 1u;
}

static const int8_t *element(const work_t *w, corner_t at) {
    return w->input + ((size_t)at.y * w->r->input_w + (size_t)at.x) * w->r->input_c;
}

/* Few bytes, for which a call of memcpy takes longer. */
static void copy(const int8_t *from, uint32_t count, int8_t *to) {
    for (; count != 0u; --count) {
        *to++ = *from++;
    }
}

/* A row of the window, padding included. */
static void copy_row(const work_t *w, corner_t at, int8_t *to) {
    const dimmer_conv2d_s8_t *r = w->r;
    uint32_t kx;

    if (whole(r, at)) {
        copy(element(w, at), w->row, to);
    } else if (at.y < 0 || at.y >= r->input_h) {
        memset(to, r->input_zero_point, w->row);
    } else {
        for (kx = 0; kx < r->kernel_w; ++kx, at.x += r->dilation_w, to += r->input_c) {
            if (at.x < 0 || at.x >= r->input_w) {
                memset(to, r->input_zero_point, r->input_c);
            } else {
                copy(element(w, at), r->input_c, to);
            }
        }
    }
}

/* The window at a corner to every fourth word of `to`. */
static void gather(const work_t *w, corner_t at, int32_t *to) {
    const dimmer_conv2d_s8_t *r = w->r;
    uint32_t ky;

    if (w->row % 4u == 0u) {
        for (ky = 0; ky < r->kernel_h; ++ky, at.y += r->dilation_h) {
            const int8_t *from = w->patch;

            if (whole(r, at)) {
                from = element(w, at);
            } else {
                copy_row(w, at, w->patch);
            }
            to = pack(from, w->row, to);
        }
    } else {
        for (ky = 0; ky < r->kernel_h; ++ky, at.y += r->dilation_h) {
            copy_row(w, at, w->patch + ky * w->row);
        }
        (void)pack(w->patch, (w->depth + 3u) & ~3u, to);
    }
}

/* The sums of the first pixel alone, where a layer's last is left over. */
static void one_pixel(const work_t *w, uint32_t channels) {
    const int32_t *weights = w->weights;
    int32_t *sums = w->sums;

    for (; channels != 0u; --channels, sums += DIMMER_PAIRS_PIXELS) {
        const int32_t *const end = weights + w->length;
        const int32_t *x = w->pixels;
        int32_t sum = 0;

        for (; weights != end; weights += 4, x += 4u * DIMMER_PAIRS_PIXELS) {
            sum += dimmer_pair_product(weights[0], x[0]);
            sum += dimmer_pair_product(weights[1], x[DIMMER_PAIRS_PIXELS]);
            sum += dimmer_pair_product(weights[2], x[2u * DIMMER_PAIRS_PIXELS]);
            sum += dimmer_pair_product(weights[3], x[3u * DIMMER_PAIRS_PIXELS]);
        }
        *sums = sum;
    }
}

static void one_group(const work_t *w, uint32_t first, uint32_t count) {
    const dimmer_conv2d_s8_t *r = w->r;
    const uint32_t pixels = (uint32_t)r->output_h * r->output_w;
    const int32_t end = (int32_t)(r->output_w * r->stride_w) - r->pad_left;
    corner_t at = {-(int32_t)r->pad_top, -(int32_t)r->pad_left};
    int8_t *output = w->output + first;
    uint32_t pixel;

    for (pixel = 0; pixel < pixels; pixel += DIMMER_PAIRS_PIXELS) {
        const uint32_t left = pixels - pixel;
        const uint32_t four = left < DIMMER_PAIRS_PIXELS ? left : DIMMER_PAIRS_PIXELS;
        uint32_t i;

        for (i = 0; i < four; ++i) {
            gather(w, at, w->pixels + i);
            at.x += r->stride_w;
            if (at.x == end) {
                at.x = -(int32_t)r->pad_left;
                at.y += r->stride_h;
            }
        }
        if (four == 1u) {
            one_pixel(w, count);
        } else {
            dimmer_pairs(w->weights, w->pixels, count, w->length, w->sums);
        }
        if (w->smalls != NULL) {
            dimmer_panel_store_small(w->sums, w->smalls + first, count, four, r, output);
        } else {
            dimmer_panel_store(w->sums, w->rescales + first, count, four, r, output);
        }
        output += DIMMER_PAIRS_PIXELS * r->output_c;
    }
}

void dimmer_conv2d_s8_pairs(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_conv2d_s8_pairs_t *pairs = (const dimmer_conv2d_s8_pairs_t *)record;
    const dimmer_conv2d_s8_t *r = &pairs->conv;
    dimmer_panel_small_t *const smalls = (dimmer_panel_small_t *)(void *)(arena + r->scratch);
    work_t w;
    uint32_t batch;

    dimmer_require_conv2d(model, r, pairs->small != 0u ? -11 : -22, -1);
    DIMMER_ASSERT(pairs->group >= 1u && pairs->group <= r->output_c);
    w.r = r;
    w.row = (uint32_t)r->kernel_w * r->input_c;
    w.depth = r->kernel_h * w.row;
    w.length = (w.depth + 7u) / 8u * 4u;
    w.rescales = (dimmer_rescale_t *)(void *)smalls;
    w.smalls = pairs->small != 0u ? smalls : NULL;
    w.sums = (int32_t *)(void *)(smalls + r->output_c);
    w.pixels = w.sums + DIMMER_PAIRS_PIXELS * pairs->group;
    w.weights = w.pixels + DIMMER_PAIRS_PIXELS * w.length;
    w.patch = (int8_t *)(w.weights + pairs->group * w.length);
    w.input = (const int8_t *)(arena + r->input);
    w.output = (int8_t *)(arena + r->output);
    memset(w.pixels, 0, DIMMER_PAIRS_PIXELS * w.length * sizeof *w.pixels);
    memset(w.patch, 0, (w.depth + 3u) & ~3u);
    if (pairs->small != 0u) {
        dimmer_panel_smalls(model, r, smalls);
    } else {
        dimmer_panel_rescales(model, r, w.rescales);
    }
    for (batch = 0; batch < r->batches; ++batch) {
        uint32_t first;

        for (first = 0; first < r->output_c; first += pairs->group) {
            const uint32_t left = (uint32_t)r->output_c - first;
            const uint32_t count = left < pairs->group ? left : pairs->group;

            widen_weights(&w, model->weights + r->weights + (size_t)first * w.depth, count);
            one_group(&w, first, count);
        }
        w.input += (size_t)r->input_h * r->input_w * r->input_c;
        w.output += (size_t)r->output_h * r->output_w * r->output_c;
    }
}
