/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_fixed_point.h"
#include "../common/pool.h"
#include "../common/require.h"

static int32_t pooled(const dimmer_pool_2d_s8_t *r, const dimmer_pool_window_t *w, uint32_t channel) {
    const int8_t *row = w->first + channel;
    int32_t largest = INT8_MIN;
    uint32_t i;
    uint32_t j;

    for (i = 0; i < w->rows; ++i, row += (size_t)r->input_w * r->channels) {
        const int8_t *element = row;

        for (j = 0; j < w->columns; ++j, element += r->channels) {
            largest = *element > largest ? *element : largest;
        }
    }
    return largest;
}

void dimmer_max_pool_2d_s8(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_max_pool_2d_s8_t *r = (const dimmer_max_pool_2d_s8_t *)record;
    const int8_t *input = (const int8_t *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    uint32_t batch;

    dimmer_require_pool(r);
    (void)model;
    for (batch = 0; batch < r->batches; ++batch, input += (size_t)r->input_h * r->input_w * r->channels) {
        int32_t y;
        int32_t x;

        for (y = 0; y < r->output_h; ++y) {
            for (x = 0; x < r->output_w; ++x) {
                const dimmer_pool_window_t w = dimmer_pool_window(r, input, y, x);
                uint32_t channel;

                for (channel = 0; channel < r->channels; ++channel) {
                    *output++ = dimmer_clamp_s8(pooled(r, &w, channel), r->activation_min, r->activation_max);
                }
            }
        }
    }
}
