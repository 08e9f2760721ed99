/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_fixed_point.h"
#include "../common/pool.h"
#include "../common/require.h"

/* Of codes made unsigned, whose sums are: the quotient is cut, not rounded towards zero. */
static int32_t pooled(const dimmer_pool_2d_s8_t *r, const dimmer_pool_window_t *w, uint32_t channel) {
    const int8_t *row = w->first + channel;
    const uint32_t count = w->rows * w->columns;
    uint32_t sum = count / 2u;
    uint32_t i;
    uint32_t j;

    for (i = 0; i < w->rows; ++i, row += (size_t)r->input_w * r->channels) {
        const int8_t *element = row;

        for (j = 0; j < w->columns; ++j, element += r->channels) {
            sum += (uint32_t)(*element + 128);
        }
    }
    return (int32_t)(sum / count) - 128;
}

void dimmer_average_pool_2d_s8_up(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_pool_2d_s8_t *r = (const dimmer_pool_2d_s8_t *)record;
    const int8_t *input = (const int8_t *)(arena + r->input);
    int8_t *output = (int8_t *)(arena + r->output);
    int32_t y;
    int32_t x;

    dimmer_require_pool(r);
    DIMMER_ASSERT(r->batches == 1u);
    (void)model;
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
