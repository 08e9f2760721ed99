/* SPDX-License-Identifier: Apache-2.0 */
/* The panels' inner loop, which exists once in C and twice in assembly, against its definition; and the short
 * rescaling against the long one. */
#include "kernels/common/rescale.h"
#include "kernels/words/depthwise.h"
#include "kernels/words/pairs.h"
#include "kernels/words/panel.h"

#define LONGEST 40u
#define PLANES  6u

static uint32_t state = 1u;

static uint32_t next_word(void) {
    static const uint32_t extremes[4] = {0x80000000u, 0x7FFFFFFFu, 0xFFFFFFFFu, 0u};

    state = state * 1664525u + 1013904223u;
    return (state >> 28) < 3u ? extremes[(state >> 24) & 3u] : (state >> 9) * 0x10001u;
}

static int panel_is_wrong(uint32_t planes, uint32_t length, uint32_t step) {
    static int32_t weights[PLANES * LONGEST];
    static int32_t pixels[PLANES * LONGEST * DIMMER_PANEL_PIXELS];
    int32_t sums[PLANES * DIMMER_PANEL_PIXELS + 1u];
    uint32_t plane;
    uint32_t j;
    uint32_t k;

    for (k = 0; k < planes * length; ++k) {
        weights[k] = (int32_t)next_word();
    }
    for (k = 0; k < planes * length * DIMMER_PANEL_PIXELS; ++k) {
        pixels[k] = (int32_t)next_word();
    }
    sums[planes * DIMMER_PANEL_PIXELS] = 4711;
    dimmer_panel(weights, pixels, planes, length, sums, step);
    for (plane = 0; plane < planes; ++plane) {
        for (j = 0; j < DIMMER_PANEL_PIXELS; ++j) {
            uint32_t sum = 0;

            for (k = 0; k < length; ++k) {
                sum += (uint32_t)weights[plane * length + k] *
                       (uint32_t)pixels[plane * step + k * DIMMER_PANEL_PIXELS + j];
            }
            if ((uint32_t)sums[plane * DIMMER_PANEL_PIXELS + j] != sum) {
                return 1;
            }
        }
    }
    return sums[planes * DIMMER_PANEL_PIXELS] != 4711;
}

static int rescale_is_wrong(int32_t sum, int32_t multiplier, int shift, int32_t zero_point) {
    const dimmer_rescale_t r = dimmer_rescale_of(0, multiplier, shift, zero_point);

    return dimmer_rescale(2 * sum, r.multiplier, r.start, r.shift) !=
               dimmer_requantize(sum, multiplier, shift) + zero_point ||
           dimmer_upper_of_halves(2 * sum, multiplier, 0x8000u) !=
               (int32_t)(((int64_t)(2 * sum) * multiplier + ((int64_t)1 << 31)) >> 32);
}

/* Weights and inputs of int8, their ends often. */
static int pairs_are_wrong(uint32_t planes, uint32_t length) {
    static int32_t weights[PLANES * LONGEST];
    static int32_t pixels[DIMMER_PAIRS_PIXELS * LONGEST];
    int32_t expected[PLANES * DIMMER_PAIRS_PIXELS] = {0};
    int32_t sums[PLANES * DIMMER_PAIRS_PIXELS + 1u];
    int32_t w[2][PLANES];
    int32_t x[2][DIMMER_PAIRS_PIXELS];
    uint32_t plane;
    uint32_t j;
    uint32_t k;

    for (k = 0; k < length; ++k) {
        for (j = 0; j < DIMMER_PAIRS_PIXELS; ++j) {
            x[0][j] = (int8_t)(next_word() >> 3);
            x[1][j] = (int8_t)(next_word() >> 3);
            pixels[DIMMER_PAIRS_PIXELS * k + j] = dimmer_pair_of(x[0][j], x[1][j]);
        }
        for (plane = 0; plane < planes; ++plane) {
            for (j = 0; j < 2u; ++j) {
                const int32_t value = (int8_t)(next_word() >> 3);

                w[j][plane] = value == -128 ? -127 : value;
            }
            weights[plane * length + k] = dimmer_pair_of(w[1][plane], w[0][plane]);
            for (j = 0; j < DIMMER_PAIRS_PIXELS; ++j) {
                expected[plane * DIMMER_PAIRS_PIXELS + j] += w[0][plane] * x[0][j] + w[1][plane] * x[1][j];
            }
        }
    }
    sums[planes * DIMMER_PAIRS_PIXELS] = 4711;
    dimmer_pairs(weights, pixels, planes, length, sums);
    for (j = 0; j < planes * DIMMER_PAIRS_PIXELS; ++j) {
        if (sums[j] != expected[j]) {
            return 1;
        }
    }
    return sums[planes * DIMMER_PAIRS_PIXELS] != 4711;
}

static int store_is_wrong(uint32_t group, uint32_t channels) {
    static int32_t sums[PLANES * 4u];
    static dimmer_rescale_t rescales[PLANES];
    int8_t output[4u * 9u];
    uint32_t i;
    uint32_t j;

    for (i = 0; i < group; ++i) {
        rescales[i] = dimmer_rescale_of((int32_t)next_word() >> 8, (int32_t)(next_word() >> 2) + 0x40000000,
                                        -(int)(1u + next_word() % 22u), (int32_t)(next_word() % 256u) - 128);
        for (j = 0; j < 4u; ++j) {
            sums[4u * i + j] = (int32_t)next_word() >> (4u + i % 8u);
        }
    }
    for (i = 0; i < sizeof output; ++i) {
        output[i] = 0x5A;
    }
    dimmer_panel_store_four(sums, rescales, group, output, channels);
    for (i = 0; i < 4u * channels; ++i) {
        const uint32_t channel = i % channels;
        const dimmer_rescale_t *r = &rescales[channel < group ? channel : 0u];
        const int32_t doubled = 2 * sums[channel < group ? 4u * channel + i / channels : 0u] + r->bias;
        const int32_t value = dimmer_rescale(doubled, r->multiplier, r->start, r->shift);

        if (output[i] != (channel < group ? dimmer_clamp_s8(value, -128, 127) : 0x5A)) {
            return 1;
        }
    }
    return 0;
}

static int small_is_wrong(int32_t sum, int32_t multiplier, int shift, int32_t zero_point) {
    const dimmer_small_t small = dimmer_small_of(multiplier, shift, zero_point);

    return dimmer_small(sum, &small) != dimmer_requantize(sum, multiplier, shift) + zero_point;
}

/* A sum below 2^20, often near its ends or near 0. */
static int32_t small_sum(void) {
    const uint32_t word = next_word();
    const int32_t sum = (int32_t)(word % 0x1FFFFFu) - 0xFFFFF;

    return word >> 29 == 0u   ? 0xFFFFF - sum % 3
           : word >> 29 == 1u ? -0xFFFFF + (sum & 1)
                              : sum >> (word >> 24) % 16u;
}

static int store_small_is_wrong(uint32_t group, uint32_t channels) {
    static int32_t sums[PLANES * 4u];
    static dimmer_panel_small_t rescales[PLANES];
    int8_t output[4u * 9u];
    uint32_t i;
    uint32_t j;

    for (i = 0; i < group; ++i) {
        rescales[i].bias = small_sum() / 2;
        rescales[i].rescale =
            dimmer_small_of((int32_t)(next_word() >> 2) + 0x40000000, -(int)(1u + next_word() % 11u),
                            (int32_t)(next_word() % 256u) - 128);
        for (j = 0; j < 4u; ++j) {
            sums[4u * i + j] = small_sum() / 2;
        }
    }
    for (i = 0; i < sizeof output; ++i) {
        output[i] = 0x5A;
    }
    dimmer_panel_store_small_four(sums, rescales, group, output, channels);
    for (i = 0; i < 4u * channels; ++i) {
        const uint32_t channel = i % channels;
        const dimmer_panel_small_t *r = &rescales[channel < group ? channel : 0u];
        const int32_t sum = sums[channel < group ? 4u * channel + i / channels : 0u] + r->bias;

        if (output[i] !=
            (channel < group ? dimmer_clamp_s8(dimmer_small(sum, &r->rescale), -128, 127) : 0x5A)) {
            return 1;
        }
    }
    return 0;
}

static int32_t depthwise_value(const dimmer_depthwise_channel_t *channel, int32_t sum) {
#if DIMMER_DEPTHWISE_TIMES == 1
    return dimmer_small(sum, &channel->rescale);
#else
    return dimmer_rescale(sum / (DIMMER_DEPTHWISE_TIMES / 2), channel->rescale.multiplier,
                          channel->rescale.start, channel->rescale.shift);
#endif
}

static int depthwise_is_wrong(uint32_t step, uint32_t count, uint32_t stride) {
    static dimmer_depthwise_channel_t channels[PLANES];
    static int8_t input[3][20u * PLANES];
    int8_t output[6u * PLANES + 1u];
    dimmer_depthwise_run_t run = {{input[0], input[1], input[2]}, step, channels, output, count};
    uint32_t c;
    uint32_t i;
    uint32_t j;

    for (c = 0; c < step; ++c) {
        const int32_t multiplier = (int32_t)(next_word() >> 2) + 0x40000000;
        const int shift = -(int)(1u + next_word() % 11u);

        for (i = 0; i < DIMMER_DEPTHWISE_TAPS; ++i) {
            channels[c].weights[i] = DIMMER_DEPTHWISE_TIMES * (int8_t)(next_word() >> 3);
        }
        channels[c].bias = DIMMER_DEPTHWISE_TIMES * (small_sum() / 2);
#if DIMMER_DEPTHWISE_TIMES == 1
        channels[c].rescale = dimmer_small_of(multiplier, shift, 3);
#else
        channels[c].rescale = dimmer_rescale_of(0, multiplier, shift, 3);
#endif
    }
    for (i = 0; i < 20u * step; ++i) {
        for (j = 0; j < 3u; ++j) {
            input[j][i] = (int8_t)(next_word() >> 3);
        }
    }
    output[count * step] = 0x5A;
    dimmer_depthwise_row(&run, stride);
    for (i = 0; i < count * step; ++i) {
        const dimmer_depthwise_channel_t *channel = &channels[i % step];
        int32_t sum = channel->bias;

        for (j = 0; j < DIMMER_DEPTHWISE_TAPS; ++j) {
            sum += channel->weights[j] * input[j / 3u][(i / step * stride + j % 3u) * step + i % step];
        }
        if (output[i] != dimmer_clamp_s8(depthwise_value(channel, sum), -128, 127)) {
            return 1;
        }
    }
    return output[count * step] != 0x5A;
}

int main(void) {
    static const int32_t sums[] = {0,           1,       -1,       2,      -2,     0x3FFFFFFF,
                                   -0x3FFFFFFF, 0x10000, -0x10000, 0xFFFF, -0xFFFF};
    static const int32_t multipliers[] = {0, 1, 0x40000000, 0x7FFFFFFF, 0x5555AAAA, 0x4000FFFF, 0x40008000};
    uint32_t i;
    uint32_t j;
    int shift;

    for (i = 1; i <= PLANES; ++i) {
        for (j = 4; j <= LONGEST; j += 4u) {
            if (panel_is_wrong(i, j, 0u) || panel_is_wrong(i, j, 4u) ||
                panel_is_wrong(i, j, DIMMER_PANEL_PIXELS * j)) {
                return 1;
            }
            if (pairs_are_wrong(i, j) || store_is_wrong(i, i + j / 4u % 4u)) {
                return 1;
            }
            if (store_small_is_wrong(i, i + j / 4u % 4u) ||
                depthwise_is_wrong(i, 1u + j % 6u, 1u + j / 4u % 3u)) {
                return 1;
            }
        }
    }
    for (shift = -22; shift < 0; ++shift) {
        for (i = 0; i < 600u; ++i) {
            const int32_t sum =
                i < sizeof sums / sizeof *sums ? sums[i] : (int32_t)next_word() >> (1 + i % 24u);

            for (j = 0; j < 8u; ++j) {
                const int32_t multiplier = j < sizeof multipliers / sizeof *multipliers
                                               ? multipliers[j]
                                               : (int32_t)(next_word() >> 1);

                if (sum != -0x40000000 &&
                    rescale_is_wrong(sum, multiplier, shift, (int32_t)(i % 256u) - 128)) {
                    return 1;
                }
                if (shift >= -11 &&
                    small_is_wrong(small_sum(), multiplier, shift, (int32_t)(i % 256u) - 128)) {
                    return 1;
                }
            }
        }
    }
    return 0;
}
