/* SPDX-License-Identifier: Apache-2.0 */
#include "wide.h"

static int64_t summed(const dimmer_depthwise_conv2d_s16_t *r, const int16_t *input, const int8_t *weights,
                      int32_t top, int32_t left) {
    int64_t sum = 0;
    int32_t rows[2];
    int32_t columns[2];
    int32_t i;

    dimmer_wide_span(top, r->dilation_h, r->kernel_h, r->input_h, &rows[0], &rows[1]);
    dimmer_wide_span(left, r->dilation_w, r->kernel_w, r->input_w, &columns[0], &columns[1]);
    for (i = rows[0]; i < rows[1]; ++i) {
        int32_t j;

        for (j = columns[0]; j < columns[1]; ++j) {
            const size_t y = (size_t)(top + i * r->dilation_h);
            const size_t x = (size_t)(left + j * r->dilation_w);

            sum += (int32_t)input[(y * r->input_w + x) * r->input_c] *
                   weights[((size_t)i * r->kernel_w + (size_t)j) * r->output_c];
        }
    }
    return sum;
}

void dimmer_depthwise_conv2d_s16(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_depthwise_conv2d_s16_t *r = (const dimmer_depthwise_conv2d_s16_t *)record;
    const int16_t *input = dimmer_wide_input(arena, r->input);
    int16_t *output = dimmer_wide_output(arena, r->output);
    const int8_t *weights = model->weights + r->weights;
    const uint32_t multiplier = (uint32_t)r->output_c / r->input_c;
    int32_t y;

    DIMMER_ASSERT(r->input_c >= 1u && r->output_c % r->input_c == 0u);
    for (y = 0; y < r->output_h; ++y) {
        int32_t x;

        for (x = 0; x < r->output_w; ++x) {
            uint32_t o;

            for (o = 0; o < r->output_c; ++o) {
                const int64_t sum = summed(r, input + o / multiplier, weights + o,
                                           y * r->stride_h - r->pad_top, x * r->stride_w - r->pad_left) +
                                    dimmer_wide_bias(model->params + r->bias + 2u * o);

                *output++ = dimmer_clamp_s16(dimmer_requantize_wide(sum, model->params[r->multipliers + o],
                                                                    model->shifts[r->shifts + o]),
                                             r->activation_min, r->activation_max);
            }
        }
    }
}
