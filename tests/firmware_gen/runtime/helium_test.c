/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels for Helium against the portable ones, which are compared with the stock interpreter elsewhere:
 * random shapes, random and extreme values, and nothing written outside their buffers. Exits with 0, or with
 * a number for the kernel that differs. */
#include "helium_fixture.h"

int8_t weights[MOST_VALUES];
int32_t params[512];
int8_t shifts[128];
arena_t arena __attribute__((aligned(16)));
int8_t expected[MOST_VALUES];
const dimmer_model_t model = {.weights = weights, .params = params, .shifts = shifts};

static uint32_t depthwise_scratch(const dimmer_depthwise_conv2d_s8_mve_t *d) {
    const dimmer_depthwise_conv2d_s8_t *r = &d->conv;
    const int paired = r->kernel_h <= 3u && r->kernel_w <= 3u && r->stride_h == 1u && r->stride_w == 1u &&
                       r->dilation_h == 1u && r->dilation_w == 1u;
    const uint32_t outputs = d->down != 0u ? r->output_h : r->output_w;
    const uint32_t stride = d->down != 0u ? r->stride_h : r->stride_w;
    const uint32_t dilation = d->down != 0u ? r->dilation_h : r->dilation_w;
    const uint32_t padded =
        d->down != 0u ? (uint32_t)r->pad_top + r->input_h : (uint32_t)r->pad_left + r->input_w;
    const uint32_t reach = (larger(outputs, 4u) - 1u) * stride + (paired ? 3u : 3u * dilation + 1u);

    return 16u + aligned(d->group) * (24u + (paired ? 40u : 16u) + 4u * larger(reach, padded));
}

static int depthwise(uint32_t round) {
    const uint32_t extremes = round % 3u * 8u;
    dimmer_depthwise_conv2d_s8_mve_t d;
    dimmer_depthwise_conv2d_s8_t *const r = &d.conv;
    uint32_t input;
    uint32_t bytes;

    memset(&d, 0, sizeof d);
    r->batches = 1u;
    r->depth_multiplier = 1u;
    r->kernel_h = (uint16_t)one_of(3u, 1u + below(4u));
    r->kernel_w = (uint16_t)one_of(3u, 1u + below(4u));
    r->stride_h = (uint16_t)one_of(1u, 1u + below(3u));
    r->stride_w = (uint16_t)one_of(r->stride_h, 1u + below(2u));
    r->dilation_h = (uint16_t)(below(5u) == 0u ? 2u : 1u);
    r->dilation_w = (uint16_t)(below(5u) == 0u ? 2u : 1u);
    r->input_c = (uint16_t)(1u + below(50u));
    r->input_h = (uint16_t)(1u + below(11u));
    r->input_w = (uint16_t)(1u + below(11u));
    r->output_h = (uint16_t)(1u + below((uint32_t)r->input_h + 1u));
    r->output_w = (uint16_t)(1u + below((uint32_t)r->input_w + 1u));
    r->pad_top = (uint16_t)below(r->kernel_h);
    r->pad_left = (uint16_t)below(r->kernel_w);
    r->multipliers = 128u;
    r->input_zero_point = next_value(4u);
    r->output_zero_point = next_value(4u);
    limits(r->output_zero_point, &r->activation_min, &r->activation_max);
    input = (uint32_t)r->input_h * r->input_w * r->input_c;
    bytes = (uint32_t)r->output_h * r->output_w * r->input_c;
    fill(weights, (uint32_t)r->kernel_h * r->kernel_w * r->input_c, extremes);
    tables(r->input_c);
    r->output = aligned(input + GUARD_BYTES);
    d.scratch = r->output + aligned(bytes + GUARD_BYTES);
    d.group = (uint16_t)one_of(r->input_c, 16u + 16u * below(3u));
    d.group = d.group < r->input_c ? d.group : r->input_c;
    d.down = (uint16_t)below(2u);
    memset(arena.bytes, (int)GUARD, sizeof arena.bytes);
    fill((int8_t *)arena.bytes, input, extremes);
    dimmer_depthwise_conv2d_s8(&model, r, arena.bytes);
    memcpy(expected, arena.bytes + r->output, bytes);
    memset(arena.bytes + r->output, 0, bytes);
    return differs(dimmer_depthwise_conv2d_s8_mve, &d, r->output, bytes, d.scratch + depthwise_scratch(&d));
}

static int fully_connected(uint32_t round) {
    const uint32_t extremes = round % 3u * 8u;
    dimmer_fully_connected_s8_t r;
    uint32_t i;
    uint32_t input;
    uint32_t bytes;

    memset(&r, 0, sizeof r);
    r.rows = 1u + below(3u);
    r.input_c = 1u + below(one_of(300u, 40u));
    r.output_c = 1u + below(22u);
    r.per_channel = (uint8_t)below(2u);
    r.output_zero_point = next_value(4u);
    limits(r.output_zero_point, &r.activation_min, &r.activation_max);
    tables(r.output_c);
    r.scales = 256u;
    /* Doubles of 2^-11 to 2^-5, low word first; in every fourth round exactly 2^-8, which makes halves. */
    for (i = 0; i < r.output_c; ++i) {
        const int halves = round % 4u == 0u;

        params[r.scales + 2u * i] = halves ? 0 : (int32_t)(below(0x1000000u) * 256u + below(256u));
        params[r.scales + 2u * i + 1u] =
            (int32_t)(halves ? 0x3F700000u : ((1012u + below(6u)) << 20) + below(0x100000u));
    }
    input = r.rows * r.input_c;
    bytes = r.rows * r.output_c;
    fill(weights, r.output_c * r.input_c, extremes);
    r.output = aligned(input + GUARD_BYTES);
    fill((int8_t *)arena.bytes, input, extremes);
    dimmer_fully_connected_s8(&model, &r, arena.bytes);
    memcpy(expected, arena.bytes + r.output, bytes);
    memset(arena.bytes + r.output, 0, bytes);
    return differs(dimmer_fully_connected_s8_mve, &r, r.output, bytes,
                   r.output + aligned(bytes + GUARD_BYTES));
}

static int average_pool(uint32_t round) {
    dimmer_average_pool_2d_s8_t r;
    uint32_t input;
    uint32_t bytes;

    memset(&r, 0, sizeof r);
    r.batches = (uint16_t)(1u + below(2u));
    r.channels = (uint16_t)(1u + below(40u));
    r.input_h = (uint16_t)(1u + below(16u));
    r.input_w = (uint16_t)(1u + below(16u));
    r.window_h = (uint16_t)one_of(r.input_h, 1u + below(r.input_h));
    r.window_w = (uint16_t)one_of(r.input_w, 1u + below(r.input_w));
    r.stride_h = (uint16_t)(1u + below(3u));
    r.stride_w = (uint16_t)(1u + below(3u));
    r.pad_top = (uint16_t)below(r.window_h);
    r.pad_left = (uint16_t)below(r.window_w);
    r.output_h = (uint16_t)((r.input_h + r.pad_top - 1u) / r.stride_h + 1u);
    r.output_w = (uint16_t)((r.input_w + r.pad_left - 1u) / r.stride_w + 1u);
    limits(0, &r.activation_min, &r.activation_max);
    input = (uint32_t)r.batches * r.input_h * r.input_w * r.channels;
    bytes = (uint32_t)r.batches * r.output_h * r.output_w * r.channels;
    r.output = aligned(input + GUARD_BYTES);
    fill((int8_t *)arena.bytes, input, round % 3u * 8u);
    if (round % 16u == 0u) {
        memset(arena.bytes, one_of(0x80u, 0x7Fu) == 0x80u ? 0x80 : 0x7F, input);
    }
    dimmer_average_pool_2d_s8(&model, &r, arena.bytes);
    memcpy(expected, arena.bytes + r.output, bytes);
    memset(arena.bytes + r.output, 0, bytes);
    return differs(dimmer_average_pool_2d_s8_mve, &r, r.output, bytes,
                   r.output + aligned(bytes + GUARD_BYTES));
}

static int mean(uint32_t round) {
    dimmer_mean_s8_t r;
    uint32_t input;
    uint32_t bytes;

    memset(&r, 0, sizeof r);
    r.outer = 1u + below(4u);
    r.reduce1 = 1u + below(one_of(200u, 10u));
    r.inner = 1u + below(40u);
    r.reduce2 = 1u;
    r.multiplier = (int32_t)(0x40000000u + below(0x1000000u) * 64u);
    r.shift = (int8_t)(2 - (int32_t)below(10u));
    r.input_zero_point = next_value(4u);
    r.output_zero_point = next_value(4u);
    input = r.outer * r.reduce1 * r.inner;
    bytes = r.outer * r.inner;
    r.output = aligned(input + GUARD_BYTES);
    fill((int8_t *)arena.bytes, input, round % 3u * 8u);
    dimmer_mean_s8(&model, &r, arena.bytes);
    memcpy(expected, arena.bytes + r.output, bytes);
    memset(arena.bytes + r.output, 0, bytes);
    return differs(dimmer_mean_s8_mve, &r, r.output, bytes, r.output + aligned(bytes + GUARD_BYTES));
}

int main(void) {
    uint32_t round;

    for (round = 0; round < ROUNDS; ++round) {
        const int wrong = convolution(round);

        if (wrong != 0) {
            return wrong;
        }
        if (depthwise(round)) {
            return DEPTHWISE;
        }
        if (fully_connected(round)) {
            return FULLY_CONNECTED;
        }
        if (average_pool(round)) {
            return AVERAGE_POOL;
        }
        if (mean(round)) {
            return MEAN;
        }
        if (add_differs()) {
            return ADD;
        }
    }
    return 0;
}
