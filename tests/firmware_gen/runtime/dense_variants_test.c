/* SPDX-License-Identifier: Apache-2.0 */
/* FULLY_CONNECTED for one instruction set against the portable kernel that rescales the same way: random
 * shapes, random and extreme values, and nothing written outside the output and the scratch.
 */
#include <string.h>

#include "dimmer_kernels.h"

#define RANDOM_SEED 11u
#include "random_values.h"

#define ROUNDS 300u
#define DEPTH  160u
#define WIDTH  40u

static union {
    int8_t bytes[(DEPTH + 8u) * (WIDTH + 2u)];
    int32_t alignment;
} weights;
static int32_t params[4u * WIDTH];
static struct {
    uint8_t bytes[4096];
} arena __attribute__((aligned(16)));
static uint8_t expected[3u * WIDTH];
static dimmer_model_t model;

static int guarded(uint32_t from, uint32_t to) {
    for (; from < to; ++from) {
        if (arena.bytes[from] != GUARD) {
            return 0;
        }
    }
    return 1;
}

#if defined(__ARM_FEATURE_DSP)
/* The weights as the kernel for the DSP extension has them, to where they were. */
static void share_halfwords(const dimmer_fully_connected_s8_t *r) {
    static int8_t plain[DEPTH * WIDTH];
    static const uint32_t order[4] = {0, 2, 1, 3};
    const uint32_t padded = (r->input_c + 7u) / 8u * 8u;
    uint32_t channel;
    uint32_t k;

    memcpy(plain, weights.bytes, sizeof plain);
    for (channel = 0; channel < r->output_c; channel += 2u) {
        for (k = 0; k < padded; ++k) {
            const uint32_t from = k / 4u * 4u + order[k % 4u];
            const uint32_t at = channel * r->input_c + from;
            const int32_t first = from < r->input_c ? plain[at] : 0;
            const int32_t second =
                from < r->input_c && channel + 1u < r->output_c ? plain[at + r->input_c] : 0;
            const int16_t both = (int16_t)(256 * first + second);

            memcpy(weights.bytes + 2u * (channel / 2u * padded + k), &both, sizeof both);
        }
    }
}
#endif

static int differs(uint32_t round) {
    const uint32_t extremes = round % 3u * 8u;
    dimmer_fully_connected_s8_dsp_t d;
    dimmer_fully_connected_s8_t *r = &d.dense;
    uint32_t output_bytes;
    uint32_t i;

    memset(&d, 0, sizeof d);
    memset(arena.bytes, (int)GUARD, sizeof arena.bytes);
    r->rows = 1u + below(3u);
    r->input_c = 4u * (1u + below(DEPTH / 4u));
    r->output_c = 1u + below(WIDTH);
    r->per_channel = (uint8_t)below(2u);
    r->scales = WIDTH;
    r->output_zero_point = next_value(4u);
    r->activation_min = (int8_t)(below(2u) != 0u ? -128 : -50);
    r->activation_max = (int8_t)(below(2u) != 0u ? 127 : 50);
    output_bytes = r->rows * r->output_c;
    r->output = 1024u;
    d.scratch = 2048u;
    for (i = 0; i < r->rows * r->input_c; ++i) {
        arena.bytes[i] = (uint8_t)next_value(extremes);
    }
    for (i = 0; i < r->input_c * r->output_c; ++i) {
        const int8_t value = next_value(extremes);

        weights.bytes[i] = value == -128 ? -127 : value; /* two of a halfword need one code less */
    }
    for (i = 0; i < r->output_c; ++i) {
        const int32_t shift = (int32_t)(4u + below(8u));

        params[i] = (int32_t)below(200000u) - 100000;
        params[WIDTH + 3u * i] = (int32_t)(0x40000000u + below(0x1000000u) * 64u);
        params[WIDTH + 3u * i + 1u] =
            ((int32_t)1 << (shift - 1)) + r->output_zero_point * ((int32_t)1 << shift);
        params[WIDTH + 3u * i + 2u] = shift;
    }
    dimmer_fully_connected_s8_fixed(&model, r, arena.bytes);
    memcpy(expected, arena.bytes + r->output, output_bytes);
    memset(arena.bytes + r->output, (int)GUARD, output_bytes);
#if defined(__ARM_FEATURE_DSP)
    share_halfwords(r);
    dimmer_fully_connected_s8_dsp(&model, &d, arena.bytes);
    if (!guarded(d.scratch + (r->input_c + 7u) / 8u * 16u, sizeof arena.bytes)) {
        return 1;
    }
#else
    dimmer_fully_connected_s8_words(&model, &d, arena.bytes);
    if (!guarded(d.scratch + 4u * r->input_c, sizeof arena.bytes)) {
        return 1;
    }
#endif
    return memcmp(arena.bytes + r->output, expected, output_bytes) != 0 ||
           !guarded(r->output + output_bytes, d.scratch);
}

int main(void) {
    uint32_t round;

    model.weights = weights.bytes;
    model.params = params;
    for (round = 0; round < ROUNDS; ++round) {
        if (differs(round)) {
            return 1;
        }
    }
    return 0;
}
