/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_fixed_point.h"
#include "dimmer_kernels.h"
#include "../common/walk.h"
#include "../common/require.h"

#define GROUP      4u /* channels that share one walk */
#define RECTANGLES 5  /* what lies inside the input, and the padding above, below, left and right of it */

typedef struct {
    dimmer_walk_t walk;
    const int8_t *input; /* channel 0 of the first element; null where it is padding */
    size_t weights;      /* offset of channel 0 of the first element */
} rectangle_t;

typedef struct {
    rectangle_t parts[RECTANGLES];
    uint32_t count;
} window_t;

/* The rows or columns of a window that lie inside the input: [first, end). */
typedef struct {
    uint32_t first;
    uint32_t end;
} span_t;

static span_t inside(int32_t from, uint32_t taps, int32_t dilation, int32_t size) {
    span_t span = {0, taps};

    while (span.first < span.end && from + (int32_t)span.first * dilation < 0) {
        ++span.first;
    }
    while (span.first < span.end && from + (int32_t)(span.end - 1u) * dilation >= size) {
        --span.end;
    }
    return span;
}

/* Adds rows x columns of the window; nothing where either is empty. `input` is null for padding. */
static void add_part(const dimmer_depthwise_conv2d_s8_t *r, window_t *w, const int8_t *input, span_t rows,
                     span_t columns) {
    const size_t channels = (size_t)r->input_c * r->depth_multiplier;
    rectangle_t *part = &w->parts[w->count];

    if (rows.first >= rows.end || columns.first >= columns.end) {
        return;
    }
    part->input = input;
    part->weights = ((size_t)rows.first * r->kernel_w + columns.first) * channels;
    part->walk.step = input != NULL ? (size_t)r->dilation_w * r->input_c : 0u;
    part->walk.next_row = input != NULL ? (size_t)r->dilation_h * r->input_w * r->input_c : 0u;
    part->walk.channels = channels;
    part->walk.next_weights = r->kernel_w * channels;
    part->walk.length = (columns.end - columns.first) * channels;
    part->walk.rows = rows.end - rows.first;
    ++w->count;
}

/* The window whose top left corner is (top, left). */
static void cut(const dimmer_depthwise_conv2d_s8_t *r, const int8_t *input, int32_t top, int32_t left,
                window_t *w) {
    const span_t rows = inside(top, r->kernel_h, r->dilation_h, r->input_h);
    const span_t columns = inside(left, r->kernel_w, r->dilation_w, r->input_w);
    const span_t above = {0, rows.first};
    const span_t below = {rows.end, r->kernel_h};
    const span_t before = {0, columns.first};
    const span_t behind = {columns.end, r->kernel_w};
    const span_t all = {0, r->kernel_w};
    const int32_t row = top + (int32_t)rows.first * r->dilation_h;
    const int32_t column = left + (int32_t)columns.first * r->dilation_w;

    w->count = 0;
    if (rows.first < rows.end && columns.first < columns.end) {
        input += ((size_t)row * r->input_w + (size_t)column) * r->input_c;
    }
    add_part(r, w, input, rows, columns);
    add_part(r, w, NULL, above, all);
    add_part(r, w, NULL, below, all);
    add_part(r, w, NULL, rows, before);
    add_part(r, w, NULL, rows, behind);
}

static int32_t walk_one(const dimmer_walk_t *walk, const int8_t *x, const int8_t *weights) {
    int32_t sum = 0;
    size_t rows;

    for (rows = walk->rows; rows != 0u; --rows, x += walk->next_row, weights += walk->next_weights) {
        const int8_t *from = x;
        size_t at;

        for (at = 0; at != walk->length; at += walk->channels, from += walk->step) {
            sum += *from * weights[at];
        }
    }
    return sum;
}

static void all_channels(const dimmer_model_t *model, const dimmer_depthwise_conv2d_s8_t *r,
                         const window_t *w, int8_t *output) {
    const int8_t padding[GROUP] = {r->input_zero_point, r->input_zero_point, r->input_zero_point,
                                   r->input_zero_point};
    const int8_t *weights = model->weights + r->weights;
    const int32_t *bias = model->params + r->bias;
    const int32_t *multipliers = model->params + r->multipliers;
    const int8_t *shifts = model->shifts + r->shifts;
    /* Copies: a store through int8_t may change the record for all that the compiler knows. */
    const uint32_t multiplier = r->depth_multiplier;
    const uint32_t channels = r->input_c * multiplier;
    const int32_t zero_point = r->output_zero_point;
    const int32_t low = r->activation_min;
    const int32_t high = r->activation_max;
    const rectangle_t *const end = w->parts + w->count;
    uint32_t channel = 0;

#define STORE(c, sum)                                                                                        \
    output[c] = dimmer_clamp_s8(dimmer_requantize(sum, multipliers[c], shifts[c]) + zero_point, low, high)
    if (multiplier == 1u) {
        for (; channels - channel >= GROUP; channel += GROUP) {
            const rectangle_t *part;
            int32_t sums[GROUP];

            sums[0] = bias[channel];
            sums[1] = bias[channel + 1u];
            sums[2] = bias[channel + 2u];
            sums[3] = bias[channel + 3u];
            for (part = w->parts; part != end; ++part) {
                dimmer_walk_four(&part->walk, part->input != NULL ? part->input + channel : padding,
                                 weights + part->weights + channel, sums);
            }
            STORE(channel, sums[0]);
            STORE(channel + 1u, sums[1]);
            STORE(channel + 2u, sums[2]);
            STORE(channel + 3u, sums[3]);
        }
    }
    for (; channel < channels; ++channel) {
        const rectangle_t *part;
        int32_t sum = bias[channel];

        for (part = w->parts; part != end; ++part) {
            sum += walk_one(&part->walk, part->input != NULL ? part->input + channel / multiplier : padding,
                            weights + part->weights + channel);
        }
        STORE(channel, sum);
    }
#undef STORE
}

void dimmer_depthwise_conv2d_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_depthwise_conv2d_s8_t *r = (const dimmer_depthwise_conv2d_s8_t *)record;
    const size_t input_size = (size_t)r->input_h * r->input_w * r->input_c;
    const int8_t *input = (const int8_t *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    uint32_t batch;

    dimmer_require_depthwise(model, r, -31, 30);
    for (batch = 0; batch < r->batches; ++batch, input += input_size) {
        int32_t y;
        int32_t x;

        for (y = 0; y < r->output_h; ++y) {
            for (x = 0; x < r->output_w; ++x) {
                window_t w;

                cut(r, input, y * r->stride_h - r->pad_top, x * r->stride_w - r->pad_left, &w);
                all_channels(model, r, &w, output);
                output += (size_t)r->input_c * r->depth_multiplier;
            }
        }
    }
}
