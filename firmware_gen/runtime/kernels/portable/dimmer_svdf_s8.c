/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_kernels.h"
#include "squash.h"
#include "../common/dot.h"
#include "../common/require.h"

#define GROUP 4u /* filters that share a walk over the input */

/* What the next filters, at most GROUP, make of the input. */
static void features_of(const int8_t *weights, const int8_t *input, uint32_t inputs, const int32_t *bias,
                        uint32_t left, int32_t features[GROUP]) {
    uint32_t filter;
    uint32_t i;

    for (filter = 0; filter < GROUP && filter < left; ++filter) {
        features[filter] = bias[filter];
    }
    if (left >= GROUP) {
        dimmer_dot_1x4(weights, input, inputs, features);
        return;
    }
    for (filter = 0; filter < left; ++filter) {
        for (i = 0; i < inputs; ++i) {
            features[filter] += *weights++ * input[i];
        }
    }
}

void dimmer_svdf_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_svdf_s8_t *r = (const dimmer_svdf_s8_t *)record;
    const int8_t *input = (const int8_t *)(arena + r->input);
    const int8_t *weights = model->weights + r->feature_weights;
    const int16_t *times = (const int16_t *)(const void *)(model->weights + r->time_weights);
    const int32_t *feature_bias = model->params + r->feature_bias;
    const int32_t *bias = model->params + r->bias;
    int16_t *state = (int16_t *)(void *)(arena + r->state);
    int8_t *output = (int8_t *)(arena + r->output);
    const uint32_t memory = r->memory;
    uint32_t left = r->units * r->rank;
    uint32_t next = GROUP;
    int32_t features[GROUP] = {0, 0, 0, 0};
    uint32_t unit;

    DIMMER_ASSERT(r->inputs >= 1u && r->units >= 1u && r->rank >= 1u && memory >= 1u);
    for (unit = 0; unit < r->units; ++unit) {
        uint32_t sum = (uint32_t)bias[unit]; /* modulo 2^32, as in TFLite */
        uint32_t filter;

        for (filter = 0; filter < r->rank; ++filter, ++next, --left, state += memory, times += memory) {
            uint32_t i;

            if (next == GROUP) {
                features_of(weights, input, r->inputs, feature_bias, left, features);
                weights += GROUP * (size_t)r->inputs;
                feature_bias += GROUP;
                next = 0;
            }
            for (i = 0; i + 1u < memory; ++i) {
                state[i] = state[i + 1u];
                sum += (uint32_t)((int32_t)times[i] * state[i]);
            }
            state[i] = (int16_t)dimmer_saturate_16(
                dimmer_requantize(features[next], r->feature_multiplier, r->feature_shift));
            sum += (uint32_t)((int32_t)times[i] * state[i]);
        }
        *output++ = dimmer_clamp_s8(dimmer_requantize((int32_t)sum, r->time_multiplier, r->time_shift) +
                                        r->output_zero_point,
                                    INT8_MIN, INT8_MAX);
    }
}
