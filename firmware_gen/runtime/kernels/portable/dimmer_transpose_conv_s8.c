/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_fixed_point.h"
#include "dimmer_kernels.h"
#include "../common/require.h"

/* What one output element adds up: of each kernel row and column at most one input row and column reaches it.
 */
static int32_t sum_of(const dimmer_transpose_conv_s8_t *r, const int8_t *input, const int8_t *weights,
                      uint32_t from_y, uint32_t from_x) {
    int32_t sum = 0;
    uint32_t ky;
    uint32_t kx;
    uint32_t c;

    for (ky = 0; ky < r->kernel_h && ky <= from_y; ++ky) {
        const uint32_t y = (from_y - ky) / r->stride_h;

        if ((from_y - ky) % r->stride_h != 0u || y >= r->input_h) {
            continue;
        }
        for (kx = 0; kx < r->kernel_w && kx <= from_x; ++kx) {
            const uint32_t x = (from_x - kx) / r->stride_w;
            const int8_t *in = input + ((size_t)y * r->input_w + x) * r->input_c;
            const int8_t *w = weights + ((size_t)ky * r->kernel_w + kx) * r->input_c;

            if ((from_x - kx) % r->stride_w != 0u || x >= r->input_w) {
                continue;
            }
            for (c = 0; c < r->input_c; ++c) {
                sum += (in[c] - r->input_zero_point) * w[c];
            }
        }
    }
    return sum;
}

void dimmer_transpose_conv_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_transpose_conv_s8_t *r = (const dimmer_transpose_conv_s8_t *)record;
    const int8_t *input = (const int8_t *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    const int32_t *bias = model->params + r->bias;
    const int32_t *multipliers = model->params + r->multipliers;
    const int8_t *shifts = model->shifts + r->shifts;
    const size_t filter = (size_t)r->kernel_h * r->kernel_w * r->input_c;
    uint32_t y;
    uint32_t x;
    uint32_t o;

    DIMMER_ASSERT(r->stride_h >= 1u && r->stride_w >= 1u && r->activation_min <= r->activation_max);
    for (y = 0; y < r->output_h; ++y) {
        for (x = 0; x < r->output_w; ++x) {
            const int8_t *weights = model->weights + r->weights;

            for (o = 0; o < r->output_c; ++o, weights += filter) {
                const int32_t sum = bias[o] + sum_of(r, input, weights, y + r->pad_top, x + r->pad_left);

                *output++ =
                    dimmer_clamp_s8(dimmer_requantize(sum, multipliers[o], shifts[o]) + r->output_zero_point,
                                    r->activation_min, r->activation_max);
            }
        }
    }
}
