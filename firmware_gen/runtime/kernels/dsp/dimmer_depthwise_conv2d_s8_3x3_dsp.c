/* SPDX-License-Identifier: Apache-2.0 */
#include "planes.h"
#include "../common/require.h"

#if defined(__ARM_FEATURE_DSP)

#include <string.h>

#define GROUP DIMMER_PLANES_CHANNELS

/* One of the two directions. */
typedef struct {
    uint32_t input;        /* elements */
    uint32_t output;       /* elements */
    uint32_t input_bytes;  /* between neighbours */
    uint32_t output_bytes; /* between neighbours */
    uint32_t weights;      /* between neighbours */
    uint32_t stride;
    int32_t pad;
} direction_t;

/* A layer; rows of its planes lie along the one direction. */
typedef struct {
    direction_t along;
    direction_t across;
    dimmer_planes_fill_t fill;
    uint32_t pairs;
} layer_t;

static direction_t vertical(const dimmer_depthwise_conv2d_s8_t *r) {
    const uint32_t channels = r->input_c;
    const direction_t d = {
        r->input_h,  r->output_h, r->input_w * channels, r->output_w * channels, 3u * channels,
        r->stride_h, r->pad_top};

    return d;
}

static direction_t horizontal(const dimmer_depthwise_conv2d_s8_t *r) {
    const uint32_t channels = r->input_c;
    const direction_t d = {r->input_w, r->output_w, channels, channels, channels, r->stride_w, r->pad_left};

    return d;
}

static uint32_t less(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

static layer_t layer_of(const dimmer_depthwise_conv2d_s8_t *r, int transposed) {
    const direction_t down = vertical(r);
    const direction_t right = horizontal(r);
    layer_t l;
    uint32_t left;
    uint32_t elements;

    l.along = transposed ? down : right;
    l.across = transposed ? right : down;
    l.pairs = (l.along.output + 1u) / 2u * l.along.stride + 1u;
    elements = l.along.input - (uint32_t)l.along.pad;
    left = l.pairs - (uint32_t)l.along.pad;
    l.fill.step = l.along.input_bytes;
    l.fill.odd = (uint32_t)l.along.pad;
    l.fill.body = less(elements / 2u, left);
    left -= l.fill.body;
    l.fill.last = left != 0u ? elements % 2u : 0u;
    l.fill.after = left - l.fill.last;
    l.fill.zero = (int32_t)((uint8_t)r->input_zero_point * 0x01010101u);
    l.fill.zeros = (int32_t)((uint16_t)r->input_zero_point * 0x00010001u);
    l.fill.skip = l.across.input_bytes - (l.fill.odd + 2u * l.fill.body + l.fill.last) * l.fill.step;
    return l;
}

static void fill_constants(const dimmer_model_t *model, const dimmer_depthwise_conv2d_s8_t *r,
                           const layer_t *l, uint32_t channel, int32_t *to) {
    const int32_t *const offsets = model->params + r->bias + channel;
    const int32_t *const multipliers = model->params + r->multipliers + channel;
    uint32_t c;

    dimmer_planes_weights(model->weights + r->weights + channel, l->along.weights, l->across.weights, to);
    to += DIMMER_PLANES_WORDS - 2u;
    for (c = 0; c < GROUP; ++c, to += DIMMER_PLANES_WORDS) {
        to[0] = offsets[c];
        to[1] = multipliers[c];
    }
}

/* `rows` rows of inputs from `at` on, those outside as padding; where `padded`, those are there already. */
static void hold_rows(layer_t *l, const int8_t *input, int32_t at, uint32_t rows, int padded, int32_t *to) {
    const uint32_t row = GROUP * l->pairs;
    const uint32_t above = at < 0 ? less((uint32_t)-at, rows) : 0u;
    const uint32_t first = at < 0 ? 0u : less((uint32_t)at, l->across.input);
    const uint32_t inside = less(rows - above, l->across.input - first);
    int32_t *const begin = to + row * above;
    int32_t *const end = to + row * rows;

    if (inside != 0u) {
        l->fill.input = input + first * l->across.input_bytes;
        dimmer_planes_fill(&l->fill, inside, begin);
    }
    for (; !padded && to != end; to += GROUP) {
        if (to == begin) {
            to += row * inside;
            if (to == end) {
                break;
            }
        }
        to[0] = to[1] = to[2] = to[3] = l->fill.zeros;
    }
}

static void clamp(const dimmer_depthwise_conv2d_s8_t *r, int8_t *output) {
    int8_t *const end = output + (size_t)r->output_h * r->output_w * r->input_c;
    const int32_t low = r->activation_min;
    const int32_t high = r->activation_max;

    if (low <= -128 && high >= 127) {
        return;
    }
    for (; output != end; ++output) {
        *output = (int8_t)(*output < low ? low : *output > high ? high : *output);
    }
}

void dimmer_depthwise_conv2d_s8_3x3_dsp(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_depthwise_conv2d_s8_3x3_dsp_t *d = (const dimmer_depthwise_conv2d_s8_3x3_dsp_t *)record;
    const dimmer_depthwise_conv2d_s8_t *r = &d->conv;
    layer_t l = layer_of(r, d->transposed != 0u);
    int32_t *const constants = (int32_t *)(void *)(arena + d->scratch);
    int32_t *const plane = constants + GROUP * DIMMER_PLANES_WORDS;
    dimmer_planes_t work;
    uint32_t channel;

    DIMMER_ASSERT(r->batches == 1u && r->depth_multiplier == 1u && r->input_c % GROUP == 0u);
    DIMMER_ASSERT(r->kernel_h == 3u && r->kernel_w == 3u && r->dilation_h == 1u && r->dilation_w == 1u);
    DIMMER_ASSERT((l.along.stride == 1u || l.along.stride == 2u) && d->strip >= 1u);
    DIMMER_ASSERT(l.along.pad <= 1 && d->scratch % 16u == 0u);
    work.row = plane;
    work.row_bytes = 4u * GROUP * l.pairs;
    work.block_bytes = l.along.output / 4u * 32u * l.along.stride;
    work.rest = l.along.output % 4u;
    work.row_step =
        l.across.stride * work.row_bytes - work.block_bytes - (work.rest + 1u) / 2u * 16u * l.along.stride;
    work.next = l.along.output_bytes;
    work.below = l.across.output_bytes - l.along.output * l.along.output_bytes;
    work.constants = constants;
    for (channel = 0; channel < r->input_c; channel += GROUP) {
        const int8_t *const input = (const int8_t *)(arena + r->input) + channel;
        int8_t *output = (int8_t *)(arena + r->output) + channel;
        uint32_t first;

        fill_constants(model, r, &l, channel, constants);
        for (first = 0; first < l.across.output; first += d->strip) {
            const uint32_t rows = less(l.across.output - first, d->strip);

            hold_rows(&l, input, (int32_t)(first * l.across.stride) - l.across.pad,
                      (rows - 1u) * l.across.stride + 3u, channel != 0u && d->strip >= l.across.output,
                      plane);
            work.rows_end = plane + rows * l.across.stride * GROUP * l.pairs;
            work.output = output;
            if (l.along.stride == 1u) {
                dimmer_planes_rows(&work);
            } else {
                dimmer_planes_rows_2(&work);
            }
            output += (size_t)rows * l.across.output_bytes;
        }
    }
    clamp(r, (int8_t *)(arena + r->output));
}

#endif
