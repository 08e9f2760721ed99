#include "../fixedpoint.h"
#include "dimmer_kernels.h"

#define GROUP 4u /* channels that share one walk over the window */

/* The sums of `count` neighbouring channels at the window whose top left corner is (y, x);
 * `weights` and `input` point at the first of them. Sums start at the bias. */
static void window(const dimmer_depthwise_conv2d_s8_t *r, const int8_t *input, const int8_t *weights,
                   int32_t y, int32_t x, uint32_t count, int32_t sums[GROUP]) {
    const int8_t padding[GROUP] = {r->input_zero_point, r->input_zero_point, r->input_zero_point,
                                   r->input_zero_point};
    const uint32_t output_c = (uint32_t)r->input_c * r->depth_multiplier;
    int32_t s0 = sums[0];
    int32_t s1 = sums[1];
    int32_t s2 = sums[2];
    int32_t s3 = sums[3];
    uint32_t ky;
    uint32_t kx;

    for (ky = 0; ky < r->kernel_h; ++ky, y += r->dilation_h) {
        const int row_inside = y >= 0 && y < r->input_h;
        int32_t column = x;

        for (kx = 0; kx < r->kernel_w; ++kx, column += r->dilation_w, weights += output_c) {
            const int8_t *from = padding;

            if (row_inside && column >= 0 && column < r->input_w) {
                from = input + ((size_t)y * r->input_w + (size_t)column) * r->input_c;
            }
            if (count == GROUP) {
                s0 += from[0] * weights[0];
                s1 += from[1] * weights[1];
                s2 += from[2] * weights[2];
                s3 += from[3] * weights[3];
            } else {
                s0 += from[0] * weights[0];
            }
        }
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

void dimmer_depthwise_conv2d_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    const dimmer_depthwise_conv2d_s8_t *r = (const dimmer_depthwise_conv2d_s8_t *)record;
    const size_t input_size = (size_t)r->input_h * r->input_w * r->input_c;
    const uint32_t output_c = (uint32_t)r->input_c * r->depth_multiplier;
    const int8_t *weights = model->weights + r->weights;
    const int32_t *bias = model->params + r->bias;
    const int32_t *multipliers = model->params + r->multipliers;
    const int8_t *shifts = model->shifts + r->shifts;
    const int8_t *input = (const int8_t *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    uint32_t batch;

    for (batch = 0; batch < r->batches; ++batch, input += input_size) {
        int32_t y;
        int32_t x;

        for (y = 0; y < r->output_h; ++y) {
            for (x = 0; x < r->output_w; ++x, output += output_c) {
                const int32_t from_y = y * r->stride_h - r->pad_top;
                const int32_t from_x = x * r->stride_w - r->pad_left;
                uint32_t channel = 0;

                while (channel < output_c) {
                    const uint32_t grouped = r->depth_multiplier == 1u && output_c - channel >= GROUP;
                    const uint32_t count = grouped ? GROUP : 1u;
                    int32_t sums[GROUP] = {0, 0, 0, 0};
                    uint32_t i;

                    for (i = 0; i < count; ++i) {
                        sums[i] = bias[channel + i];
                    }
                    window(r, input + channel / r->depth_multiplier, weights + channel, from_y, from_x, count,
                           sums);
                    for (i = 0; i < count; ++i, ++channel) {
                        output[channel] = dimmer_clamp_s8(
                            dimmer_requantize(sums[i], multipliers[channel], shifts[channel]) +
                                r->output_zero_point,
                            r->activation_min, r->activation_max);
                    }
                }
            }
        }
    }
}
