/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_fixed_point.h"
#include "dimmer_kernels.h"
#include "../common/dot.h"
#include "../common/require.h"

#define GROUP 4u /* channels of one row that share a walk */

typedef struct {
    const dimmer_fully_connected_s8_t *r;
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *scales;
} layer_t;

static int8_t rescaled(const layer_t *layer, int32_t sum, uint32_t channel) {
    const dimmer_fully_connected_s8_t *r = layer->r;
    const int32_t *scale = r->per_channel != 0u ? layer->scales + 2u * (size_t)channel : layer->scales;

    return dimmer_clamp_s8(dimmer_scale_in_double(sum, scale) + r->output_zero_point, r->activation_min,
                           r->activation_max);
}

static void one_row(const layer_t *layer, const int8_t *input, int8_t *output) {
    const uint32_t depth = layer->r->input_c;
    const uint32_t channels = layer->r->output_c;
    const int8_t *weights = layer->weights;
    uint32_t channel = 0;
    int32_t sums[GROUP];
    uint32_t i;

    for (; channels - channel >= GROUP; channel += GROUP, weights += GROUP * depth) {
        for (i = 0; i < GROUP; ++i) {
            sums[i] = layer->bias[channel + i];
        }
        dimmer_dot_1x4(weights, input, depth, sums);
        for (i = 0; i < GROUP; ++i) {
            output[channel + i] = rescaled(layer, sums[i], channel + i);
        }
    }
    for (; channel < channels; ++channel, weights += depth) {
        int32_t sum = layer->bias[channel];

        for (i = 0; i < depth; ++i) {
            sum += weights[i] * input[i];
        }
        output[channel] = rescaled(layer, sum, channel);
    }
}

void dimmer_fully_connected_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_fully_connected_s8_t *r = (const dimmer_fully_connected_s8_t *)record;
    const layer_t layer = {r, model->weights + r->weights, model->params + r->bias,
                           model->params + r->scales};
    const int8_t *input = (const int8_t *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    uint32_t row;

    dimmer_require_dense(r);
    for (row = 0; row < r->rows; ++row, input += r->input_c, output += r->output_c) {
        one_row(&layer, input, output);
    }
}
