/* SPDX-License-Identifier: Apache-2.0 */
#include "panel.h"

void dimmer_panel_rescales(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r,
                           dimmer_rescale_t *rescales) {
    const int32_t *bias = model->params + r->bias;
    const int32_t *multipliers = model->params + r->multipliers;
    const int8_t *shifts = model->shifts + r->shifts;
    uint32_t channel;

    for (channel = 0; channel < r->output_c; ++channel) {
        rescales[channel] =
            dimmer_rescale_of(bias[channel], multipliers[channel], shifts[channel], r->output_zero_point);
    }
}

#if !defined(__thumb__) && !defined(DIMMER_PANEL_HAS_FOUR)

void dimmer_panel_store_four(const int32_t *sums, const dimmer_rescale_t *rescales, uint32_t group,
                             int8_t *output, uint32_t channels) {
    const dimmer_rescale_t *const end = rescales + group;

    for (; rescales != end; ++rescales, ++output) {
        const int32_t bias = rescales->bias;
        const int32_t multiplier = rescales->multiplier;
        const int32_t start = rescales->start;
        const int32_t shift = rescales->shift;
        const int32_t *const last = sums + DIMMER_PANEL_PIXELS;
        int8_t *to = output;

        for (; sums != last; to += channels) {
            *to = dimmer_clamp_s8(dimmer_rescale(2 * *sums++ + bias, multiplier, start, shift), INT8_MIN,
                                  INT8_MAX);
        }
    }
}

#endif

void dimmer_panel_store(const int32_t *sums, const dimmer_rescale_t *rescales, uint32_t group, uint32_t count,
                        const dimmer_conv2d_s8_t *r, int8_t *output) {
    const dimmer_rescale_t *const end = rescales + group;
    /* Copies: a store through int8_t may change the record for all that the compiler knows. */
    const size_t channels = r->output_c;
    const int32_t low = r->activation_min;
    const int32_t high = r->activation_max;

    if (count == DIMMER_PANEL_PIXELS && low == INT8_MIN && high == INT8_MAX) {
        dimmer_panel_store_four(sums, rescales, group, output, r->output_c);
        return;
    }
    for (; rescales != end; ++rescales, sums += DIMMER_PANEL_PIXELS, ++output) {
        const int32_t bias = rescales->bias;
        const int32_t multiplier = rescales->multiplier;
        const int32_t start = rescales->start;
        const int32_t shift = rescales->shift;
        const int8_t *const last = output + count * channels;
        const int32_t *sum = sums;
        int8_t *to;

        for (to = output; to != last; to += channels) {
            *to = dimmer_clamp_s8(dimmer_rescale(2 * *sum++ + bias, multiplier, start, shift), low, high);
        }
    }
}

#if !defined(__thumb__)

/* One plane's sums of four pixels. */
static void one_plane(const int32_t *weights, const int32_t *from, uint32_t length, int32_t *sums) {
    const int32_t *const end = weights + length;
    uint32_t s0 = 0;
    uint32_t s1 = 0;
    uint32_t s2 = 0;
    uint32_t s3 = 0;

#define STEP(k)                                                                                              \
    {                                                                                                        \
        const uint32_t w = (uint32_t)weights[k];                                                             \
        s0 += w * (uint32_t)from[4 * (k)];                                                                   \
        s1 += w * (uint32_t)from[4 * (k) + 1];                                                               \
        s2 += w * (uint32_t)from[4 * (k) + 2];                                                               \
        s3 += w * (uint32_t)from[4 * (k) + 3];                                                               \
    }
    for (; weights != end; weights += 4, from += 16) {
        STEP(0)
        STEP(1)
        STEP(2)
        STEP(3)
    }
#undef STEP
    sums[0] = (int32_t)s0;
    sums[1] = (int32_t)s1;
    sums[2] = (int32_t)s2;
    sums[3] = (int32_t)s3;
}

void dimmer_panel(const int32_t *weights, const int32_t *pixels, uint32_t planes, uint32_t length,
                  int32_t *sums, uint32_t step) {
#if defined(DIMMER_PANEL_HAS_FOUR)
    for (; step == 0u && planes >= 4u; planes -= 4u, sums += 4u * DIMMER_PANEL_PIXELS) {
        dimmer_panel_four(weights, pixels, weights + length, sums);
        weights += 4u * (size_t)length;
    }
#endif
    for (; planes != 0u; --planes, pixels += step, sums += DIMMER_PANEL_PIXELS) {
        one_plane(weights, pixels, length, sums);
        weights += length;
    }
}

#endif
