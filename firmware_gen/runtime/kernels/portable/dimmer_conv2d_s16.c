/* SPDX-License-Identifier: Apache-2.0 */
#include "wide.h"

static int64_t summed(const dimmer_conv2d_s16_t *r, const int16_t *input, const int8_t *weights, int32_t top,
                      int32_t left) {
    const size_t depth = r->input_c;
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
            const int16_t *from = input + (y * r->input_w + x) * depth;
            const int8_t *by = weights + ((size_t)i * r->kernel_w + (size_t)j) * depth;
            size_t c;

            for (c = 0; c < depth; ++c) {
                sum += (int32_t)from[c] * by[c];
            }
        }
    }
    return sum;
}

void dimmer_conv2d_s16(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_conv2d_s16_t *r = (const dimmer_conv2d_s16_t *)record;
    const int16_t *input = dimmer_wide_input(arena, r->input);
    int16_t *output = dimmer_wide_output(arena, r->output);
    const size_t patch = (size_t)r->kernel_h * r->kernel_w * r->input_c;
    int32_t y;

    for (y = 0; y < r->output_h; ++y) {
        int32_t x;

        for (x = 0; x < r->output_w; ++x) {
            const int8_t *weights = model->weights + r->weights;
            uint32_t o;

            for (o = 0; o < r->output_c; ++o, weights += patch) {
                const int64_t sum =
                    summed(r, input, weights, y * r->stride_h - r->pad_top, x * r->stride_w - r->pad_left) +
                    dimmer_wide_bias(model->params + r->bias + 2u * o);

                *output++ = dimmer_clamp_s16(dimmer_requantize_wide(sum, model->params[r->multipliers + o],
                                                                    model->shifts[r->shifts + o]),
                                             r->activation_min, r->activation_max);
            }
        }
    }
}
