/* SPDX-License-Identifier: Apache-2.0 */
/* Depthwise convolution for the DSP extension against the portable kernel: windows of every size, step and
 * padding, random and extreme values, and nothing written outside the output and the scratch.
 */
#include <string.h>

#include "dimmer_kernels.h"

#define RANDOM_SEED 3u
#include "random_values.h"

#define ROUNDS 300u
#define INPUT  4096u
#define OUTPUT 4096u

static int8_t weights[1024];
static int32_t params[64];
static int8_t shifts[32];
static struct {
    uint8_t bytes[16384];
} arena __attribute__((aligned(16)));
static uint8_t expected[OUTPUT];
static dimmer_model_t model;

static void shape(dimmer_depthwise_conv2d_s8_t *r) {
    r->batches = 1u;
    r->depth_multiplier = 1u;
    r->kernel_h = (uint16_t)(1u + below(5u));
    r->kernel_w = (uint16_t)(1u + below(5u));
    r->stride_h = (uint16_t)(1u + below(3u));
    r->stride_w = (uint16_t)(1u + below(3u));
    r->dilation_h = r->dilation_w = (uint16_t)(below(4u) == 0u ? 2u : 1u);
    r->input_c = (uint16_t)(4u * (1u + below(4u)));
    r->input_h = (uint16_t)(1u + below(14u));
    r->input_w = (uint16_t)(1u + below(14u));
    r->output_h = (uint16_t)(1u + below((uint32_t)r->input_h + 1u));
    r->output_w = (uint16_t)(1u + below((uint32_t)r->input_w + 1u));
    r->pad_top = (uint16_t)below(r->kernel_h);
    r->pad_left = (uint16_t)below(r->kernel_w);
    r->output = INPUT;
}

static int differs(uint32_t round) {
    const uint32_t extremes = round % 3u * 8u;
    dimmer_depthwise_conv2d_s8_dsp_t d;
    dimmer_depthwise_conv2d_s8_t *const r = &d.conv;
    uint32_t bytes;
    uint32_t taps;
    uint32_t i;

    memset(&d, 0, sizeof d);
    memset(arena.bytes, (int)GUARD, sizeof arena.bytes);
    shape(r);
    bytes = (uint32_t)r->output_h * r->output_w * r->input_c;
    taps = ((uint32_t)r->kernel_h * r->kernel_w + 8u) / 9u * 9u;
    d.scratch = INPUT + OUTPUT;
    r->multipliers = 32u;
    r->input_zero_point = next_value(4u);
    r->output_zero_point = next_value(4u);
    r->activation_min = (int8_t)(below(2u) != 0u ? -128 : -50);
    r->activation_max = (int8_t)(below(2u) != 0u ? 127 : 50);
    for (i = 0; i < (uint32_t)r->input_h * r->input_w * r->input_c; ++i) {
        arena.bytes[i] = (uint8_t)next_value(extremes);
    }
    for (i = 0; i < (uint32_t)r->kernel_h * r->kernel_w * r->input_c; ++i) {
        weights[i] = next_value(extremes);
    }
    for (i = 0; i < r->input_c; ++i) {
        params[i] = (int32_t)below(200000u) - 100000;
        params[32u + i] = (int32_t)(0x40000000u + below(0x1000000u) * 64u);
        shifts[i] = (int8_t)-(int32_t)(5u + below(8u));
    }
    dimmer_depthwise_conv2d_s8(&model, r, arena.bytes);
    memcpy(expected, arena.bytes + r->output, bytes);
    memset(arena.bytes + r->output, (int)GUARD, bytes);
    dimmer_depthwise_conv2d_s8_dsp(&model, &d, arena.bytes);
    if (memcmp(arena.bytes + r->output, expected, bytes) != 0) {
        return 1;
    }
    for (i = r->output + bytes; i < d.scratch; ++i) {
        if (arena.bytes[i] != GUARD) {
            return 1;
        }
    }
    for (i = d.scratch + r->input_c * (2u * taps + 17u) + 4u * taps; i < sizeof arena.bytes; ++i) {
        if (arena.bytes[i] != GUARD) {
            return 1;
        }
    }
    return 0;
}

int main(void) {
    uint32_t round;

    model.weights = weights;
    model.params = params;
    model.shifts = shifts;
    for (round = 0; round < ROUNDS; ++round) {
        if (differs(round)) {
            return 1;
        }
    }
    return 0;
}
