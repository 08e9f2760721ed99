/* SPDX-License-Identifier: Apache-2.0 */
#include "wide.h"

static int32_t pooled(const dimmer_max_pool_2d_s16_t *r, const int16_t *input, int32_t top, int32_t left) {
    int32_t y0;
    int32_t y1;
    int32_t x0;
    int32_t x1;
    int32_t best = INT16_MIN;
    int32_t y;

    dimmer_wide_span(top, 1, r->window_h, r->input_h, &y0, &y1);
    dimmer_wide_span(left, 1, r->window_w, r->input_w, &x0, &x1);
    for (y = y0; y < y1; ++y) {
        const int16_t *from = input + ((size_t)(top + y) * r->input_w + (size_t)(left + x0)) * r->channels;
        int32_t x;

        for (x = x0; x < x1; ++x, from += r->channels) {
            best = *from > best ? *from : best;
        }
    }
    return best;
}

void dimmer_max_pool_2d_s16(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_max_pool_2d_s16_t *r = (const dimmer_max_pool_2d_s16_t *)record;
    const int16_t *input = dimmer_wide_input(arena, r->input);
    int16_t *output = dimmer_wide_output(arena, r->output);
    int32_t y;

    (void)model;
    for (y = 0; y < r->output_h; ++y) {
        int32_t x;

        for (x = 0; x < r->output_w; ++x) {
            uint32_t c;

            for (c = 0; c < r->channels; ++c) {
                const int32_t value =
                    pooled(r, input + c, y * r->stride_h - r->pad_top, x * r->stride_w - r->pad_left);

                *output++ = dimmer_clamp_s16(value, r->activation_min, r->activation_max);
            }
        }
    }
}
