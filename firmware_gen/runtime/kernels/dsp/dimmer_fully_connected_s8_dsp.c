/* SPDX-License-Identifier: Apache-2.0 */
#include "dense.h"
#include "dimmer_kernels.h"
#include "../common/require.h"
#include "dimmer_small_code.h"

#if defined(__ARM_FEATURE_DSP)

static void clamp(int8_t *values, uint32_t count, int32_t low, int32_t high) {
    int8_t *const end = values + count;

    if (low <= -128 && high >= 127) {
        return;
    }
    for (; values != end; ++values) {
        *values = (int8_t)(*values < low ? low : *values > high ? high : *values);
    }
}

/* One row of the input, whose last channel may be alone. */
static void all_channels(dimmer_dense_t *work, uint32_t channels) {
    int8_t *const last = work->output + channels - 1u;

    work->pairs = channels / 2u;
    if (work->pairs != 0u) {
        dimmer_dense_pairs(work);
    }
    if (channels % 2u != 0u) {
        const size_t before = channels - 1u;
        const int32_t bias[2] = {work->bias[before], 0};
        int8_t codes[2];
        dimmer_dense_t one = *work;

        one.weights += before * (size_t)(work->x_end - work->x) * 2u;
        one.bias = bias;
        one.scales += before * work->step / 4u;
        one.step = 0u;
        one.output = codes;
        one.pairs = 1u;
        dimmer_dense_pairs(&one);
        *last = codes[0];
    }
}

void dimmer_fully_connected_s8_dsp(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_fully_connected_s8_dsp_t *d = (const dimmer_fully_connected_s8_dsp_t *)record;
    const dimmer_fully_connected_s8_t *r = &d->dense;
    const uint32_t depth = r->input_c;
    const uint32_t padded = (depth + 7u) & ~(uint32_t)7;
    int32_t *const x = (int32_t *)(void *)(arena + d->scratch);
    const int8_t *input = (const int8_t *)(arena + r->input);
    dimmer_dense_t work;
    uint32_t row;

    dimmer_require_dense(r);
    DIMMER_ASSERT(r->input_c % 4u == 0u && r->weights % 4u == 0u);
    work.x = x;
    work.x_end = x + padded / 2u;
    work.weights = model->weights + r->weights;
    work.bias = model->params + r->bias;
    work.scales = model->params + r->scales;
    work.step = r->per_channel != 0u ? 12u : 0u;
    work.output = (int8_t *)(arena + r->output);
    for (row = 0; row < r->rows; ++row, input += depth, work.output += r->output_c) {
        if (padded != depth) {
            x[padded / 2u - 2u] = 0;
            x[padded / 2u - 1u] = 0;
        }
        dimmer_widen_row(input, depth, x);
        all_channels(&work, r->output_c);
    }
    clamp((int8_t *)(arena + r->output), r->rows * r->output_c, r->activation_min, r->activation_max);
}

#endif
