/* SPDX-License-Identifier: Apache-2.0 */
#include "dense.h"
#include "dimmer_kernels.h"
#include "../common/rescale.h"
#include "../common/require.h"

#if defined(__ARM_FEATURE_DSP)

/* What the outputs of a layer share; copies, since a store through int8_t may change the record. */
typedef struct {
    const int32_t *bias;
    const int32_t *scales;
    size_t step; /* from a channel's scale to the next one's */
    int32_t low;
    int32_t high;
} layer_t;

static int8_t rescaled(const layer_t *layer, int32_t sum, const int32_t *scale) {
    return dimmer_clamp_s8(dimmer_rescale_fixed(sum, scale[0], scale[1], scale[2]), layer->low, layer->high);
}

void dimmer_fully_connected_s8_dsp(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_fully_connected_s8_dsp_t *d = (const dimmer_fully_connected_s8_dsp_t *)record;
    const dimmer_fully_connected_s8_t *r = &d->dense;
    const layer_t layer = {model->params + r->bias, model->params + r->scales, r->per_channel != 0u ? 3u : 0u,
                           r->activation_min, r->activation_max};
    const uint32_t depth = r->input_c;
    const uint32_t padded = (depth + 7u) & ~(uint32_t)7;
    const uint32_t channels = r->output_c;
    int32_t *const x = (int32_t *)(void *)(arena + d->scratch);
    const int32_t *const x_end = x + padded / 2u;
    const int8_t *input = (const int8_t *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    uint32_t row;

    dimmer_require_dense(r);
    DIMMER_ASSERT(r->input_c % 4u == 0u && r->weights % 4u == 0u);
    for (row = 0; row < r->rows; ++row, input += depth, output += channels) {
        const int8_t *weights = model->weights + r->weights;
        const int32_t *scale = layer.scales;
        uint32_t channel;

        if (padded != depth) {
            x[padded / 2u - 2u] = 0;
            x[padded / 2u - 1u] = 0;
        }
        dimmer_widen_row(input, depth, x);
        for (channel = 0; channel < channels;
             channel += 2u, weights += 2u * padded, scale += 2u * layer.step) {
            const uint32_t other = channel + 1u < channels ? 1u : 0u;
            int32_t sums[2];

            sums[0] = layer.bias[channel];
            sums[1] = layer.bias[channel + other];
            dimmer_dense_pair(x, x_end, weights, sums);
            output[channel] = rescaled(&layer, sums[0], scale);
            if (other != 0u) {
                output[channel + 1u] = rescaled(&layer, sums[1], scale + layer.step);
            }
        }
    }
}

#endif
