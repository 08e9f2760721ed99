/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_kernels.h"
#include "../common/dot.h"
#include "../common/rescale.h"
#include "../common/require.h"

#define GROUP 4u /* channels of one row that share a walk */

static int8_t rescaled(const dimmer_fully_connected_s8_t *r, const int32_t *scales, int32_t sum,
                       uint32_t channel) {
    const int32_t *scale = r->per_channel != 0u ? scales + 3u * (size_t)channel : scales;

    return dimmer_clamp_s8(dimmer_rescale_fixed(sum, scale[0], scale[1], scale[2]), r->activation_min,
                           r->activation_max);
}

void dimmer_fully_connected_s8_fixed(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_fully_connected_s8_t *r = (const dimmer_fully_connected_s8_t *)record;
    const int32_t *const bias = model->params + r->bias;
    const int32_t *const scales = model->params + r->scales;
    const uint32_t depth = r->input_c;
    const uint32_t channels = r->output_c;
    const int8_t *input = (const int8_t *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    uint32_t row;

    dimmer_require_dense(r);
    for (row = 0; row < r->rows; ++row, input += depth, output += channels) {
        const int8_t *weights = model->weights + r->weights;
        uint32_t channel;
        uint32_t i;

        for (channel = 0; channels - channel >= GROUP; channel += GROUP, weights += GROUP * depth) {
            int32_t sums[GROUP];

            for (i = 0; i < GROUP; ++i) {
                sums[i] = bias[channel + i];
            }
            dimmer_dot_1x4(weights, input, depth, sums);
            for (i = 0; i < GROUP; ++i) {
                output[channel + i] = rescaled(r, scales, sums[i], channel + i);
            }
        }
        for (; channel < channels; ++channel, weights += depth) {
            int32_t sum = bias[channel];

            for (i = 0; i < depth; ++i) {
                sum += weights[i] * input[i];
            }
            output[channel] = rescaled(r, scales, sum, channel);
        }
    }
}
