/* SPDX-License-Identifier: Apache-2.0 */
#include "dense_words.h"
#include "dimmer_kernels.h"
#include "../common/rescale.h"
#include "../common/require.h"

#define GROUP 4u /* channels that share a walk over the input */

/* What the outputs of a layer share; copies, since a store through int8_t may change the record. */
typedef struct {
    const int32_t *bias;
    const int32_t *scales;
    size_t step; /* from a channel's scale to the next one's */
    uint32_t depth;
    int32_t low;
    int32_t high;
} layer_t;

static int8_t rescaled(const layer_t *layer, int32_t sum, uint32_t channel) {
    const int32_t *const scale = layer->scales + channel * layer->step;

    return dimmer_clamp_s8(dimmer_rescale_fixed(sum, scale[0], scale[1], scale[2]), layer->low, layer->high);
}

static void one_row(const layer_t *layer, const int32_t *x, const int8_t *weights, uint32_t channels,
                    int8_t *output) {
    uint32_t channel;

    for (channel = 0; channels - channel >= GROUP; channel += GROUP, weights += GROUP * layer->depth) {
        int32_t sums[GROUP];
        uint32_t i;

        for (i = 0; i < GROUP; ++i) {
            sums[i] = layer->bias[channel + i];
        }
        dimmer_dense_words(x, weights, layer->depth, sums);
        for (i = 0; i < GROUP; ++i) {
            output[channel + i] = rescaled(layer, sums[i], channel + i);
        }
    }
    for (; channel < channels; ++channel, weights += layer->depth) {
        int32_t sum = layer->bias[channel];
        uint32_t i;

        for (i = 0; i < layer->depth; ++i) {
            sum += weights[i] * x[i];
        }
        output[channel] = rescaled(layer, sum, channel);
    }
}

void dimmer_fully_connected_s8_words(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_fully_connected_s8_words_t *d = (const dimmer_fully_connected_s8_words_t *)record;
    const dimmer_fully_connected_s8_t *r = &d->dense;
    const layer_t layer = {
        model->params + r->bias, model->params + r->scales, r->per_channel != 0u ? 3u : 0u, r->input_c,
        r->activation_min,       r->activation_max};
    const int8_t *input = (const int8_t *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    uint32_t row;

    dimmer_require_dense(r);
    for (row = 0; row < r->rows; ++row, output += r->output_c) {
        int32_t *const x = (int32_t *)(void *)(arena + d->scratch);
        uint32_t i;

        for (i = 0; i < layer.depth; ++i) {
            x[i] = *input++;
        }
        one_row(&layer, x, model->weights + r->weights, r->output_c, output);
    }
}
