/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "dimmer_kernels.h"
#include "../common/rescale.h"
#include "../common/require.h"
#include "../common/window.h"

#define TAPS DIMMER_WINDOW_ROWS
#define RUN  4u /* neighbouring outputs that share their inputs where the stride is 1 */

typedef struct {
    int32_t weights[TAPS * TAPS];
    dimmer_rescale_t rescale;
} channel_t;

/* What the runs of a row share. */
typedef struct {
    const channel_t *channels;
    const channel_t *end;
    size_t step; /* channels, as a distance */
    int32_t low;
    int32_t high;
} row_t;

static void expand(const dimmer_model_t *model, const dimmer_depthwise_conv2d_s8_t *r, channel_t *to) {
    const uint32_t channels = r->input_c;
    const int32_t *bias = model->params + r->bias;
    const int32_t *multipliers = model->params + r->multipliers;
    const int8_t *shifts = model->shifts + r->shifts;
    uint32_t channel;
    uint32_t tap;

    for (channel = 0; channel < channels; ++channel, ++to) {
        const int8_t *weights = model->weights + r->weights + channel;

        for (tap = 0; tap < TAPS * TAPS; ++tap, weights += channels) {
            to->weights[tap] = *weights;
        }
        to->rescale =
            dimmer_rescale_of(bias[channel], multipliers[channel], shifts[channel], r->output_zero_point);
    }
}

/* Four neighbouring outputs of every channel; `rows` point to channel 0 of their first inputs. */
static void run_of_four(const row_t *row, const int8_t *const rows[TAPS], int8_t *output) {
    const channel_t *channel = row->channels;
    const int8_t *above = rows[0];
    const int8_t *middle = rows[1];
    const int8_t *below = rows[2];
    const size_t step = row->step;

    for (; channel != row->end; ++channel, ++output) {
        int32_t s0 = 0;
        int32_t s1 = 0;
        int32_t s2 = 0;
        int32_t s3 = 0;

#define TAP_ROW(from, first)                                                                                 \
    {                                                                                                        \
        const int32_t w0 = channel->weights[first];                                                          \
        const int32_t w1 = channel->weights[(first) + 1];                                                    \
        const int32_t w2 = channel->weights[(first) + 2];                                                    \
        const int8_t *at = from++;                                                                           \
        int32_t x = *at;                                                                                     \
        s0 += w0 * x;                                                                                        \
        at += step;                                                                                          \
        x = *at;                                                                                             \
        s0 += w1 * x;                                                                                        \
        s1 += w0 * x;                                                                                        \
        at += step;                                                                                          \
        x = *at;                                                                                             \
        s0 += w2 * x;                                                                                        \
        s1 += w1 * x;                                                                                        \
        s2 += w0 * x;                                                                                        \
        at += step;                                                                                          \
        x = *at;                                                                                             \
        s1 += w2 * x;                                                                                        \
        s2 += w1 * x;                                                                                        \
        s3 += w0 * x;                                                                                        \
        at += step;                                                                                          \
        x = *at;                                                                                             \
        s2 += w2 * x;                                                                                        \
        s3 += w1 * x;                                                                                        \
        at += step;                                                                                          \
        s3 += w2 * *at;                                                                                      \
    }
        TAP_ROW(above, 0)
        TAP_ROW(middle, 3)
        TAP_ROW(below, 6) {
            const int32_t bias = channel->rescale.bias;
            const int32_t multiplier = channel->rescale.multiplier;
            const int32_t start = channel->rescale.start;
            const int32_t shift = channel->rescale.shift;
            const int32_t low = row->low;
            const int32_t high = row->high;
            int8_t *to = output;

#define STORE(sum)                                                                                           \
    *to = dimmer_clamp_s8(dimmer_rescale(2 * (sum) + bias, multiplier, start, shift), low, high);            \
    to += step
            STORE(s0);
            STORE(s1);
            STORE(s2);
            STORE(s3);
        }
    }
}

static void one_output(const row_t *row, const int8_t *const rows[TAPS], int8_t *output) {
    const channel_t *channel = row->channels;
    const int8_t *above = rows[0];
    const int8_t *middle = rows[1];
    const int8_t *below = rows[2];
    const size_t step = row->step;

    for (; channel != row->end; ++channel) {
        const int32_t *w = channel->weights;
        int32_t sum = w[0] * above[0] + w[1] * above[step] + w[2] * above[2u * step];

        sum += w[3] * middle[0] + w[4] * middle[step] + w[5] * middle[2u * step];
        sum += w[6] * below[0] + w[7] * below[step] + w[8] * below[2u * step];
        ++above;
        ++middle;
        ++below;
        *output++ =
            dimmer_clamp_s8(dimmer_rescale(2 * sum + channel->rescale.bias, channel->rescale.multiplier,
                                           channel->rescale.start, channel->rescale.shift),
                            row->low, row->high);
    }
}

static void one_image(const dimmer_depthwise_conv2d_s8_t *r, const row_t *shared, const int8_t *input,
                      int8_t *window, size_t width, int8_t *output) {
    const size_t channels = r->input_c;
    int32_t next = dimmer_window_begin(r, window, width);
    int32_t y;

    for (y = 0; y < r->output_h; ++y) {
        const int8_t *rows[TAPS];
        uint32_t x = 0;
        int32_t tap;

        next = dimmer_window_move(r, input, window, width, y, next, rows);
        while (x < r->output_w) {
            const uint32_t run = r->stride_w == 1u && r->output_w - x >= RUN ? RUN : 1u;

            if (run == RUN) {
                run_of_four(shared, rows, output);
            } else {
                one_output(shared, rows, output);
            }
            x += run;
            output += run * channels;
            for (tap = 0; tap < TAPS; ++tap) {
                rows[tap] += run * r->stride_w * channels;
            }
        }
    }
}

void dimmer_depthwise_conv2d_s8_3x3(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_depthwise_conv2d_s8_3x3_t *d = (const dimmer_depthwise_conv2d_s8_3x3_t *)record;
    const dimmer_depthwise_conv2d_s8_t *r = &d->conv;
    channel_t *const channels = (channel_t *)(void *)(arena + d->scratch);
    const size_t width = dimmer_window_width(r);
    const row_t shared = {channels, channels + r->input_c, r->input_c, r->activation_min, r->activation_max};
    const int8_t *input = (const int8_t *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    uint32_t batch;

    dimmer_require_depthwise(model, r, -22, -1);
    DIMMER_ASSERT(r->kernel_h == TAPS && r->kernel_w == TAPS && r->depth_multiplier == 1u);
    DIMMER_ASSERT(r->dilation_h == 1u && r->dilation_w == 1u);
    expand(model, r, channels);
    for (batch = 0; batch < r->batches; ++batch) {
        one_image(r, &shared, input, (int8_t *)(channels + r->input_c), width, output);
        input += (size_t)r->input_h * r->input_w * r->input_c;
        output += (size_t)r->output_h * r->output_w * r->input_c;
    }
}
