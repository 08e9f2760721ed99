#include "../fixedpoint.h"
#include "dimmer_kernels.h"

#define GROUP 4u /* channels that share one walk over the window */

/* The columns of the window that lie inside the input: [first, end), the same for every row. */
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

/* GROUP neighbouring channels at `taps` places that lie `step` apart, 0 for the padding. */
static inline const int8_t *add_taps(int32_t sums[GROUP], const int8_t *from, size_t step,
                                     const int8_t *weights, size_t channels, uint32_t taps) {
    for (; taps != 0u; --taps, from += step, weights += channels) {
        sums[0] += from[0] * weights[0];
        sums[1] += from[1] * weights[1];
        sums[2] += from[2] * weights[2];
        sums[3] += from[3] * weights[3];
    }
    return weights;
}

/* `weights` and `input` point at the first channel of the group, `input` at the window's first row and
 * first inner column. */
static void four_channels(const dimmer_depthwise_conv2d_s8_t *r, const int8_t *input, const int8_t *weights,
                          span_t rows, span_t columns, int32_t result[GROUP]) {
    const int8_t padding[GROUP] = {r->input_zero_point, r->input_zero_point, r->input_zero_point,
                                   r->input_zero_point};
    const size_t channels = r->input_c;
    const size_t column_step = r->dilation_w * channels;
    const size_t row_step = (size_t)r->dilation_h * r->input_w * channels;
    const uint32_t width = r->kernel_w;
    int32_t sums[GROUP] = {result[0], result[1], result[2], result[3]};
    uint32_t ky;

    weights = add_taps(sums, padding, 0, weights, channels, rows.first * width);
    for (ky = rows.first; ky < rows.end; ++ky, input += row_step) {
        weights = add_taps(sums, padding, 0, weights, channels, columns.first);
        weights = add_taps(sums, input, column_step, weights, channels, columns.end - columns.first);
        weights = add_taps(sums, padding, 0, weights, channels, width - columns.end);
    }
    (void)add_taps(sums, padding, 0, weights, channels, (r->kernel_h - rows.end) * width);
    result[0] = sums[0];
    result[1] = sums[1];
    result[2] = sums[2];
    result[3] = sums[3];
}

/* Any one output channel; slower, for channels that are left over and for multipliers above 1. */
static int32_t one_channel(const dimmer_depthwise_conv2d_s8_t *r, const int8_t *input, const int8_t *weights,
                           span_t rows, span_t columns, int32_t sum) {
    const size_t channels = (size_t)r->input_c * r->depth_multiplier;
    uint32_t ky;
    uint32_t kx;

    for (ky = 0; ky < r->kernel_h; ++ky) {
        const int row_inside = ky >= rows.first && ky < rows.end;

        for (kx = 0; kx < r->kernel_w; ++kx, weights += channels) {
            int32_t x = r->input_zero_point;

            if (row_inside && kx >= columns.first && kx < columns.end) {
                const size_t row = (size_t)(ky - rows.first) * r->dilation_h;
                const size_t column = (size_t)(kx - columns.first) * r->dilation_w;

                x = input[(row * r->input_w + column) * r->input_c];
            }
            sum += x * *weights;
        }
    }
    return sum;
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
            const int32_t top = y * r->stride_h - r->pad_top;
            const span_t rows = inside(top, r->kernel_h, r->dilation_h, r->input_h);
            const size_t row = (size_t)(top + (int32_t)rows.first * r->dilation_h);

            for (x = 0; x < r->output_w; ++x, output += output_c) {
                const int32_t left = x * r->stride_w - r->pad_left;
                const span_t columns = inside(left, r->kernel_w, r->dilation_w, r->input_w);
                const size_t column = (size_t)(left + (int32_t)columns.first * r->dilation_w);
                const int8_t *from = input;
                uint32_t channel = 0;

                /* A window that lies in the padding altogether reads nothing at `from`. */
                if (rows.first < rows.end && columns.first < columns.end) {
                    from += (row * r->input_w + column) * r->input_c;
                }
                while (channel < output_c) {
                    int32_t sums[GROUP];
                    uint32_t count = 1;
                    uint32_t i;

                    if (r->depth_multiplier == 1u && output_c - channel >= GROUP) {
                        count = GROUP;
                        for (i = 0; i < GROUP; ++i) {
                            sums[i] = bias[channel + i];
                        }
                        four_channels(r, from + channel, weights + channel, rows, columns, sums);
                    } else {
                        sums[0] = one_channel(r, from + channel / r->depth_multiplier, weights + channel,
                                              rows, columns, bias[channel]);
                    }
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
