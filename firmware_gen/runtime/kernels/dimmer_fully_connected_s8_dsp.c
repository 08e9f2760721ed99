#include "dense.h"
#include "dimmer_kernels.h"
#include "rescale.h"

#if defined(__ARM_FEATURE_DSP)

/* What the outputs of a layer share; copies, since a store through int8_t may change the record. */
typedef struct {
    const int32_t *bias;
    const int32_t *scales;
    size_t step; /* from a channel's scale to the next one's */
    uint32_t depth;
    int32_t low;
    int32_t high;
} layer_t;

static int8_t rescaled(const layer_t *layer, int32_t sum, const int32_t *scale) {
    return dimmer_clamp_s8(dimmer_rescale_fixed(sum, scale[0], scale[1], scale[2]), layer->low, layer->high);
}

/* Two channels of a row, or one as its own partner: `other` is 0. */
static void two_channels(const layer_t *layer, const int8_t *input, const int32_t *x, const int8_t *weights,
                         uint32_t channel, uint32_t other, int8_t *output) {
    const uint32_t whole = layer->depth & ~(uint32_t)7;
    const int8_t *const partner = weights + other * layer->depth;
    const int32_t *const scale = layer->scales + channel * layer->step;
    int32_t sums[2];
    uint32_t i;

    sums[0] = layer->bias[channel];
    sums[1] = layer->bias[channel + other];
    if (whole != 0u) {
        dimmer_dense_pair(x, x + whole / 2u, weights, partner, sums);
    }
    for (i = whole; i < layer->depth; ++i) {
        sums[0] += weights[i] * input[i];
        sums[1] += partner[i] * input[i];
    }
    output[channel] = rescaled(layer, sums[0], scale);
    output[channel + other] = rescaled(layer, sums[1], scale + other * layer->step);
}

void dimmer_fully_connected_s8_dsp(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    const dimmer_fully_connected_s8_dsp_t *d = (const dimmer_fully_connected_s8_dsp_t *)record;
    const dimmer_fully_connected_s8_t *r = &d->dense;
    const layer_t layer = {
        model->params + r->bias, model->params + r->scales, r->per_channel != 0u ? 3u : 0u, r->input_c,
        r->activation_min,       r->activation_max};
    const uint32_t channels = r->output_c;
    int32_t *const x = (int32_t *)(void *)(arena + d->scratch);
    const int8_t *input = (const int8_t *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    uint32_t row;

    for (row = 0; row < r->rows; ++row, input += layer.depth, output += channels) {
        const int8_t *weights = model->weights + r->weights;
        uint32_t channel;

        dimmer_widen_row(input, layer.depth & ~(uint32_t)7, x);
        for (channel = 0; channel < channels; channel += 2u, weights += 2u * layer.depth) {
            two_channels(&layer, input, x, weights, channel, channel + 1u < channels ? 1u : 0u, output);
        }
    }
}

#endif
