/* SPDX-License-Identifier: Apache-2.0 */
#include "depthwise.h"
#include "dimmer_kernels.h"
#include "../common/require.h"
#include "../common/window.h"

static void expand(const dimmer_model_t *model, const dimmer_depthwise_conv2d_s8_t *r,
                   dimmer_depthwise_channel_t *to) {
    const uint32_t channels = r->input_c;
    const int32_t *multipliers = model->params + r->multipliers;
    const int8_t *shifts = model->shifts + r->shifts;
    uint32_t channel;
    uint32_t tap;

    for (channel = 0; channel < channels; ++channel, ++to) {
        const int8_t *weights = model->weights + r->weights + channel;

        to->bias = DIMMER_DEPTHWISE_TIMES * model->params[r->bias + channel];
        for (tap = 0; tap < DIMMER_DEPTHWISE_TAPS; ++tap, weights += channels) {
            to->weights[tap] = DIMMER_DEPTHWISE_TIMES * *weights;
        }
#if defined(__thumb__) && !defined(__thumb2__)
        to->rescale = dimmer_small_of(multipliers[channel], shifts[channel], r->output_zero_point);
#else
        to->rescale = dimmer_rescale_of(0, multipliers[channel], shifts[channel], r->output_zero_point);
#endif
    }
}

static void one_image(const dimmer_depthwise_conv2d_s8_t *r, dimmer_depthwise_run_t *run, const int8_t *input,
                      int8_t *window, size_t width, int8_t *output) {
    int32_t next = dimmer_window_begin(r, window, width);
    int32_t y;

    for (y = 0; y < r->output_h; ++y) {
        next = dimmer_window_move(r, input, window, width, y, next, run->rows);
        run->count = r->output_w;
        run->output = output;
        dimmer_depthwise_row(run, r->stride_w);
        output += (size_t)r->output_w * r->input_c;
    }
}

void dimmer_depthwise_conv2d_s8_words(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_depthwise_conv2d_s8_words_t *d = (const dimmer_depthwise_conv2d_s8_words_t *)record;
    const dimmer_depthwise_conv2d_s8_t *r = &d->conv;
    dimmer_depthwise_channel_t *const channels = (dimmer_depthwise_channel_t *)(void *)(arena + d->scratch);
    /* What another core's structs leave of the scratch buffer is not used. */
    int8_t *const window = (int8_t *)(channels + r->input_c);
    const size_t width = dimmer_window_width(r);
    dimmer_depthwise_run_t run = {{NULL, NULL, NULL}, r->input_c, channels, NULL, 0u};
    int8_t *output = (int8_t *)(arena + r->output);
    const int8_t *input = (const int8_t *)(arena + r->input);
    uint32_t batch;

    dimmer_require_depthwise(model, r, -11, -1);
    DIMMER_ASSERT(r->kernel_h == DIMMER_WINDOW_ROWS && r->kernel_w == DIMMER_WINDOW_ROWS &&
                  r->depth_multiplier == 1u);
    DIMMER_ASSERT(r->dilation_h == 1u && r->dilation_w == 1u);
    DIMMER_ASSERT(r->activation_min == INT8_MIN && r->activation_max == INT8_MAX);
    expand(model, r, channels);
    for (batch = 0; batch < r->batches; ++batch) {
        one_image(r, &run, input, window, width, output);
        output += (size_t)r->output_h * r->output_w * r->input_c;
        input += (size_t)r->input_h * r->input_w * r->input_c;
    }
}
