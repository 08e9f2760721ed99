/* SPDX-License-Identifier: Apache-2.0 */
#include "depthwise.h"

void dimmer_depthwise_row(dimmer_depthwise_run_t *run, uint32_t stride) {
#if defined(DIMMER_PANEL_HAS_FOUR)
    if (stride == 1u) {
        dimmer_depthwise_near(run);
        return;
    }
    if (stride == 2u) {
        dimmer_depthwise_apart(run);
        return;
    }
#endif
    while (run->count != 0u) {
        const uint32_t outputs =
            stride == 1u && run->count >= DIMMER_DEPTHWISE_RUN ? DIMMER_DEPTHWISE_RUN : 1u;
        uint32_t row;

        if (outputs != 1u) {
            dimmer_depthwise_four(run);
        } else {
            dimmer_depthwise_one(run);
        }
        run->count -= outputs;
        run->output += outputs * run->step;
        for (row = 0; row < 3u; ++row) {
            run->rows[row] += outputs * stride * run->step;
        }
    }
}

#if !defined(__thumb__) || defined(__thumb2__)

/* The outputs of a channel whose sums are given. */
static inline void store(const int32_t *sums, uint32_t count, const dimmer_rescale_t *rescale, uint32_t step,
                         int8_t *to) {
    uint32_t i;

    for (i = 0; i < count; ++i, to += step) {
        *to = dimmer_clamp_s8(dimmer_rescale(sums[i] / (DIMMER_DEPTHWISE_TIMES / 2), rescale->multiplier,
                                             rescale->start, rescale->shift),
                              INT8_MIN, INT8_MAX);
    }
}

void dimmer_depthwise_four(const dimmer_depthwise_run_t *run) {
    const size_t step = run->step;
    const dimmer_depthwise_channel_t *channel = run->channels;
    uint32_t c;

    for (c = 0; c < step; ++c, ++channel) {
        int32_t s0 = channel->bias;
        int32_t s1 = s0;
        int32_t s2 = s0;
        int32_t s3 = s0;
        const int32_t *w = channel->weights;
        uint32_t row;

        for (row = 0; row < 3u; ++row, w += 3) {
            const int8_t *at = run->rows[row] + c;
            const int32_t w0 = w[0];
            const int32_t w1 = w[1];
            const int32_t w2 = w[2];
            int32_t x = *at;

            s0 += w0 * x;
            x = *(at += step);
            s0 += w1 * x;
            s1 += w0 * x;
            x = *(at += step);
            s0 += w2 * x;
            s1 += w1 * x;
            s2 += w0 * x;
            x = *(at += step);
            s1 += w2 * x;
            s2 += w1 * x;
            s3 += w0 * x;
            x = *(at += step);
            s2 += w2 * x;
            s3 += w1 * x;
            s3 += w2 * at[step];
        }
        {
            const int32_t sums[DIMMER_DEPTHWISE_RUN] = {s0, s1, s2, s3};

            store(sums, DIMMER_DEPTHWISE_RUN, &channel->rescale, run->step, run->output + c);
        }
    }
}

void dimmer_depthwise_one(const dimmer_depthwise_run_t *run) {
    const size_t step = run->step;
    const dimmer_depthwise_channel_t *channel = run->channels;
    uint32_t c;

    for (c = 0; c < step; ++c, ++channel) {
        const int32_t *w = channel->weights;
        int32_t sum = channel->bias;
        uint32_t row;

        for (row = 0; row < 3u; ++row, w += 3) {
            const int8_t *at = run->rows[row] + c;

            sum += w[0] * at[0] + w[1] * at[step] + w[2] * at[2u * step];
        }
        store(&sum, 1u, &channel->rescale, run->step, run->output + c);
    }
}

#endif
