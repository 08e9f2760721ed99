/* SPDX-License-Identifier: Apache-2.0 */
/* Convolution kernels for one instruction set against the portable one, which is compared with the stock
 * interpreter elsewhere: random shapes, random and extreme values, and nothing written outside their buffers.
 */
#include <string.h>

#include "dimmer_kernels.h"

#define RANDOM_SEED 7u
#include "random_values.h"

#define ROUNDS      400u
#define ARENA_BYTES 65536u

static int8_t weights[24576];
static int32_t params[128];
static int8_t shifts[64];
static struct {
    uint8_t bytes[ARENA_BYTES];
} arena __attribute__((aligned(16)));
static int8_t expected[16384];
static dimmer_model_t model;

static void shape(dimmer_conv2d_s8_t *r, uint32_t size) {
    const uint32_t dilated = below(6u) == 0u ? 2u : 1u;

    memset(r, 0, sizeof *r);
    r->batches = 1u;
    r->kernel_h = (uint16_t)(1u + below(size));
    r->kernel_w = (uint16_t)(1u + below(size));
    r->stride_h = (uint16_t)(1u + below(2u));
    r->stride_w = (uint16_t)(1u + below(2u));
    r->dilation_h = (uint16_t)dilated;
    r->dilation_w = (uint16_t)dilated;
    r->input_c = (uint16_t)(1u + below(below(2u) != 0u ? 20u : 6u));
    r->input_h = (uint16_t)(1u + below(11u));
    r->input_w = (uint16_t)(1u + below(11u));
    r->output_c = (uint16_t)(1u + below(18u));
    r->output_h = (uint16_t)(1u + below((uint32_t)r->input_h + 1u));
    r->output_w = (uint16_t)(1u + below((uint32_t)r->input_w + 1u));
    r->pad_top = (uint16_t)below(r->kernel_h);
    r->pad_left = (uint16_t)below(r->kernel_w);
    r->weight_bits = (uint8_t)(below(2u) != 0u ? 8u : below(2u) != 0u ? 4u : 2u);
    r->slice_channels = (uint8_t)(r->output_c < 2u ? 1u : 2u);
}

static void numbers(dimmer_conv2d_s8_t *r, uint32_t depth) {
    const uint32_t extremes = below(3u) * 8u;
    uint32_t i;

    for (i = 0; i < r->output_c * depth; ++i) {
        weights[i] = next_value(extremes);
    }
    for (i = 0; i < r->output_c; ++i) {
        params[i] = (int32_t)below(200000u) - 100000;
        params[64u + i] = (int32_t)(0x40000000u + below(0x1000000u) * 64u - below(2u));
        shifts[i] = (int8_t)-(int32_t)(below(8u) == 0u ? 1u + below(22u) : 6u + below(5u));
    }
    r->multipliers = 64u;
    r->input_zero_point = next_value(4u);
    r->output_zero_point = next_value(4u);
    r->activation_min = -128;
    r->activation_max = 127;
    if (below(3u) == 0u) {
        r->activation_min = (int8_t)(below(100u) - 100u);
        r->activation_max = (int8_t)below(127u);
    }
}

/* Runs `kernel`, whose record is at `record` and begins with *r, and compares. */
static int differs(dimmer_kernel_fn kernel, const void *record, const dimmer_conv2d_s8_t *r, uint32_t end) {
    const uint32_t bytes = (uint32_t)r->output_h * r->output_w * r->output_c;
    uint32_t i;

    memset(arena.bytes + r->output, (int)GUARD, bytes);
    memset(arena.bytes + end, (int)GUARD, 64u);
    kernel(&model, record, arena.bytes);
    if (memcmp(arena.bytes + r->output, expected, bytes) != 0) {
        return 1;
    }
    for (i = 0; i < 64u; ++i) {
        if (arena.bytes[end + i] != GUARD) {
            return 1;
        }
    }
    for (i = bytes; i < aligned(bytes); ++i) {
        if (arena.bytes[r->output + i] != GUARD) {
            return 1;
        }
    }
    return 0;
}

static int direct_differs(const dimmer_conv2d_s8_t *r) {
    const uint32_t row = (uint32_t)r->kernel_w * r->input_c;
    const uint32_t groups = r->kernel_h * ((row + 3u) / 4u);
    dimmer_conv2d_s8_dsp_t d;
    uint32_t pairs;

    d.conv = *r;
    d.group = (uint16_t)(below(2u) != 0u ? r->output_c : 2u + 2u * below(3u));
    d.reserved2 = 0u;
    pairs = (d.group + 1u) / 2u;
    return differs(r->weight_bits != 8u ? dimmer_conv2d_s8_sliced_dsp : dimmer_conv2d_s8_dsp, &d, &d.conv,
                   r->scratch + 4u * (pairs * (4u * groups + 8u) + 4u * groups) + 4u * pairs + 2u * row);
}

static int winograd_differs(const dimmer_conv2d_s8_t *r) {
    dimmer_conv2d_s8_f43_dsp_t d;
    uint32_t rows;

    d.conv = *r;
    d.group = (uint16_t)(below(2u) != 0u ? r->output_c : 2u + 2u * below(3u));
    d.strip = (uint16_t)(1u + below(r->output_h));
    rows = (d.strip - 1u) * r->stride_h + r->kernel_h;
    return differs(r->weight_bits != 8u ? dimmer_conv2d_s8_f43_sliced_dsp : dimmer_conv2d_s8_f43_dsp, &d,
                   &d.conv,
                   r->scratch + d.group / 2u * (24u * r->kernel_h * r->input_c + 32u) +
                       24u * ((r->output_w + 7u) / 8u) * rows * r->input_c + 6u * r->input_c + 8u * d.group);
}

/* The sum of the convolution and a random residual, which it overwrites now and then. */
static int sum_differs(const dimmer_conv2d_s8_t *r, int winograd) {
    static int8_t residual[16384];
    const uint32_t bytes = (uint32_t)r->output_h * r->output_w * r->output_c;
    const uint32_t operand = 1u + below(2u);
    dimmer_conv2d_add_s8_f43_dsp_t f;
    dimmer_conv2d_add_s8_dsp_t d;
    dimmer_add_s8_t add;
    uint32_t i;

    memset(&add, 0, sizeof add);
    memset(&d, 0, sizeof d);
    memset(&f, 0, sizeof f);
    add.dims[0] = add.dims[1] = add.dims[2] = 1u;
    add.dims[3] = bytes;
    add.multiplier1 = (int32_t)(0x40000000u + below(0x1000000u) * 64u);
    add.multiplier2 = (int32_t)(0x40000000u + below(0x1000000u) * 64u);
    add.multiplier_output = (int32_t)(0x40000000u + below(0x1000000u) * 64u);
    add.shift1 = (int8_t)-(int32_t)below(4u);
    add.shift2 = (int8_t)-(int32_t)below(4u);
    add.shift_output = (int8_t)-(int32_t)(17u + below(4u));
    add.left_shift = 20;
    add.zero_point1 = next_value(4u);
    add.zero_point2 = next_value(4u);
    add.output_zero_point = next_value(4u);
    add.activation_min = (int8_t)(below(2u) != 0u ? -128 : -100);
    add.activation_max = (int8_t)(below(2u) != 0u ? 127 : 90);
    /* expected = the sum of expected and residual, by the portable kernel. */
    for (i = 0; i < bytes; ++i) {
        residual[i] = next_value(4u);
    }
    memcpy(arena.bytes + r->output, expected, bytes);
    memcpy(arena.bytes + r->scratch, residual, bytes);
    add.input1 = operand == 1u ? r->output : r->scratch;
    add.input2 = operand == 1u ? r->scratch : r->output;
    add.output = r->output;
    dimmer_add_s8(&model, &add, arena.bytes);
    memcpy(expected, arena.bytes + r->output, bytes);
    /* In place: the residual lies where the sum goes. */
    memcpy(arena.bytes + r->output, residual, bytes);
    add.input1 = operand == 1u ? ARENA_BYTES : r->output;
    add.input2 = operand == 1u ? r->output : ARENA_BYTES;
    if (winograd) {
        f.conv = *r;
        f.add = add;
        f.operand = (uint16_t)operand;
        f.group = r->output_c;
        f.strip = (uint16_t)(1u + below(r->output_h));
        (r->weight_bits != 8u ? dimmer_conv2d_add_s8_f43_sliced_dsp
                              : dimmer_conv2d_add_s8_f43_dsp)(&model, &f, arena.bytes);
    } else {
        d.conv = *r;
        d.add = add;
        d.operand = (uint16_t)operand;
        d.group = (uint16_t)(below(2u) != 0u ? r->output_c : 2u);
        (r->weight_bits != 8u ? dimmer_conv2d_add_s8_sliced_dsp : dimmer_conv2d_add_s8_dsp)(&model, &d,
                                                                                            arena.bytes);
    }
    return memcmp(arena.bytes + r->output, expected, bytes) != 0;
}

int main(void) {
    uint32_t round;

    model.weights = weights;
    model.params = params;
    model.shifts = shifts;
    for (round = 0; round < ROUNDS; ++round) {
        const int winograd = round % 2u == 1u;
        dimmer_conv2d_s8_t r;
        uint32_t input;
        uint32_t output;
        uint32_t depth;
        uint32_t i;

        shape(&r, 4u);
        if (winograd) {
            r.kernel_w = 3u;
            r.stride_w = r.dilation_h = r.dilation_w = 1u;
            r.input_c = (uint16_t)((r.input_c + 3u) / 4u * 4u);
            r.output_c = (uint16_t)((r.output_c + 1u) / 2u * 2u);
        }
        depth = (uint32_t)r.kernel_h * r.kernel_w * r.input_c;
        numbers(&r, depth);
        input = (uint32_t)r.input_h * r.input_w * r.input_c;
        output = (uint32_t)r.output_h * r.output_w * r.output_c;
        memset(arena.bytes, (int)GUARD, sizeof arena.bytes);
        r.output = aligned(input);
        r.scratch = r.output + aligned(output) + 64u;
        for (i = 0; i < input; ++i) {
            arena.bytes[i] = (uint8_t)next_value(round % 3u * 8u);
        }
        dimmer_conv2d_s8(&model, &r, arena.bytes);
        memcpy(expected, arena.bytes + r.output, output);
        memset(arena.bytes + r.output + output, (int)GUARD, 64u);
        if (direct_differs(&r) || (winograd && winograd_differs(&r)) || sum_differs(&r, winograd)) {
            return 1;
        }
    }
    return 0;
}
