/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_fixed_point.h"
#include "dimmer_kernels.h"
#include "../common/require.h"

/* The sum of one window, whose top left corner is (top, left), with one channel's weights. */
static int32_t sum_of(const dimmer_conv2d_s8_offset_t *record, const int8_t *input, int32_t top, int32_t left,
                      const int8_t *weights) {
    const dimmer_conv2d_s8_t *r = &record->conv;
    const int32_t zero = r->input_zero_point;
    const int32_t offset = record->weights_zero_point;
    int32_t sum = 0;
    int32_t i;
    int32_t j;

    for (i = 0; i < r->kernel_h; ++i) {
        const int32_t y = top + i * r->dilation_h;

        for (j = 0; j < r->kernel_w; ++j, weights += r->input_c) {
            const int32_t x = left + j * r->dilation_w;
            const int8_t *from;
            uint32_t c;

            if (y < 0 || y >= r->input_h || x < 0 || x >= r->input_w) {
                continue;
            }
            from = input + ((size_t)y * r->input_w + (size_t)x) * r->input_c;
            for (c = 0; c < r->input_c; ++c) {
                sum += (from[c] - zero) * (weights[c] - offset);
            }
        }
    }
    return sum;
}

void dimmer_conv2d_s8_offset(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_conv2d_s8_offset_t *whole = (const dimmer_conv2d_s8_offset_t *)record;
    const dimmer_conv2d_s8_t *r = &whole->conv;
    const int8_t *input = (const int8_t *)(arena + r->input);
    const int32_t *bias = model->params + r->bias;
    const int32_t *multipliers = model->params + r->multipliers;
    const int8_t *shifts = model->shifts + r->shifts;
    const size_t patch = (size_t)r->kernel_h * r->kernel_w * r->input_c;
    int8_t *output = (int8_t *)(arena + r->output);
    int32_t y;
    int32_t x;

    dimmer_require_conv2d(model, r, -31, 30);
    DIMMER_ASSERT(r->batches == 1u && r->weight_bits == 8u);
    for (y = 0; y < r->output_h; ++y) {
        for (x = 0; x < r->output_w; ++x) {
            const int8_t *weights = model->weights + r->weights;
            uint32_t o;

            for (o = 0; o < r->output_c; ++o, weights += patch) {
                const int32_t sum = bias[o] + sum_of(whole, input, y * r->stride_h - r->pad_top,
                                                     x * r->stride_w - r->pad_left, weights);

                *output++ =
                    dimmer_clamp_s8(dimmer_requantize(sum, multipliers[o], shifts[o]) + r->output_zero_point,
                                    r->activation_min, r->activation_max);
            }
        }
    }
}
