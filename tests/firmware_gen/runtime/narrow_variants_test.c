/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels for narrow inputs and weights against the portable one, which is compared with the stock
 * interpreter elsewhere: random shapes, random and extreme values, and nothing written outside their buffers.
 */
#include <string.h>

#include "dimmer_kernels.h"

#define RANDOM_SEED 11u
#include "random_values.h"

#define ROUNDS      600u
#define ARENA_BYTES 65536u
#define CHANNELS    18u

static int8_t weights[24576];
static int32_t params[4u * CHANNELS]; /* folded bias, multipliers, bias as it is */
static int8_t shifts[2u * CHANNELS];  /* and offsets */
static uint32_t kinds[CHANNELS]; /* 0 and 1: all weights of a channel are as large as can be, or as small */
static struct {
    uint8_t bytes[ARENA_BYTES];
} arena __attribute__((aligned(16)));
static int8_t expected[16384];
static int8_t residual[16384];
static dimmer_model_t model;
static uint32_t input_bits; /* of a layer: as many as its weights have, or 4 where these have 2 */

static uint32_t smaller(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

static void shape(dimmer_conv2d_s8_t *r) {
    memset(r, 0, sizeof *r);
    r->batches = 1u;
    r->dilation_h = r->dilation_w = 1u;
    r->weight_bits = below(2u) != 0u ? 4u : 2u;
    input_bits = below(2u) != 0u ? 4u : r->weight_bits;
    r->slice_channels = 2u;
    r->kernel_h = (uint16_t)(1u + below(4u));
    r->kernel_w = (uint16_t)(1u + below(3u));
    r->stride_h = (uint16_t)(1u + below(2u));
    r->stride_w = (uint16_t)(1u + below(2u));
    r->input_c = (uint16_t)(4u + 4u * below(5u));
    r->input_h = (uint16_t)(1u + below(11u));
    r->input_w = (uint16_t)(1u + below(13u));
    r->output_c = (uint16_t)(2u + 2u * below(CHANNELS / 2u));
    r->output_h = (uint16_t)(1u + below((uint32_t)r->input_h + 1u));
    r->output_w = (uint16_t)(1u + below((uint32_t)r->input_w + 1u));
    r->pad_top = (uint16_t)below(r->kernel_h);
    r->pad_left = (uint16_t)below(r->kernel_w);
}

/* The weight that a slice of a code is, from its definition. */
static int32_t sliced(int8_t code, uint32_t bits) {
    const int32_t step = bits == 4u ? 16 : 64;
    const int32_t limit = bits == 4u ? 7 : 1;
    const int32_t rounded = (code + 4096 + step / 2) / step - 4096 / step;

    return (bits == 4u ? 1 : 7) * (rounded > limit ? limit : rounded < -limit ? -limit : rounded);
}

/* Weights and what belongs to their channels. Each eighth channel has weights of one sign and full size, and
 * its inputs may all be the largest: what a field must hold. */
static void numbers(dimmer_conv2d_s8_t *r, uint32_t depth) {
    const int left = below(4u) == 0u;
    uint32_t c;

    for (c = 0; c < r->output_c; ++c) {
        const uint32_t kind = below(8u);
        int32_t sum = 0;
        uint32_t i;

        kinds[c] = kind;
        for (i = 0; i < depth; ++i) {
            const int8_t code = kind == 0u ? 127 : kind == 1u ? -128 : (int8_t)((int32_t)below(256u) - 128);

            weights[c * depth + i] = code;
            sum += sliced(code, r->weight_bits);
        }
        params[2u * CHANNELS + c] = (int32_t)below(20000u) - 10000;
        params[c] = params[2u * CHANNELS + c] + 128 * sum;
        params[CHANNELS + c] = (int32_t)(0x40000000u + below(0x1000000u) * 64u - below(2u));
        shifts[c] = (int8_t)((int32_t)below(9u) - (left || below(4u) == 0u ? 0 : below(4u) == 0u ? 22 : 9));
    }
    r->multipliers = CHANNELS;
    r->input_zero_point = -128;
    r->output_zero_point = -128;
    r->activation_min = -128;
    r->activation_max = (int8_t)(below(2u) != 0u ? 127 : (int32_t)(1u << input_bits) - 129);
    if (below(3u) == 0u) {
        r->output_zero_point = (int8_t)((int32_t)below(256u) - 128);
        r->activation_max = (int8_t)below(127u);
    }
}

/* As the header has them. */
typedef struct {
    uint32_t phases;
    uint32_t skip;
    uint32_t tiles;
    uint32_t inputs; /* in a word */
    uint32_t terms;  /* of an output channel */
} walk_t;

static uint32_t ceiling(uint32_t a, uint32_t b) {
    return (a + b - 1u) / b;
}

static walk_t walk_of(const dimmer_conv2d_s8_t *r) {
    const uint32_t stride = r->stride_w;
    walk_t w;
    uint32_t p;

    w.phases = smaller(r->kernel_w, stride);
    w.inputs = input_bits == 4u ? 3u : 4u;
    w.terms = r->kernel_h * w.phases * r->input_c;
    w.skip = 0;
    w.tiles = 1u;
    for (p = 0; p < w.phases; ++p) {
        const uint32_t taps = ceiling(r->kernel_w - p, stride);
        const uint32_t padding = r->pad_left > p ? r->pad_left - p : 0u;
        const uint32_t begin = smaller(ceiling(padding, stride), taps - 1u);
        const uint32_t inputs = (uint32_t)r->input_w + r->pad_left > p ? r->input_w + r->pad_left - p : 0u;
        const uint32_t end = smaller(ceiling(inputs, stride), r->output_w + taps - 1u);

        if (taps - 1u - begin > w.skip) {
            w.skip = taps - 1u - begin;
        }
        if (end > begin && ceiling(end - begin, w.inputs) > w.tiles) {
            w.tiles = ceiling(end - begin, w.inputs);
        }
    }
    return w;
}

static uint32_t scratch_of(const dimmer_conv2d_s8_t *r, uint32_t group, uint32_t strip, uint32_t terms) {
    const walk_t w = walk_of(r);
    const uint32_t rows = (strip / 2u - 1u) * r->stride_h + r->kernel_h;
    const uint32_t chunks = w.terms / terms;

    return 32u * chunks + group / 2u * (16u * chunks + 8u * w.terms + 48u) +
           8u * w.tiles * rows * w.phases * r->input_c + 2u * r->input_c +
           2u * ceiling(r->output_w + w.skip, w.inputs) * w.inputs * group;
}

/* Terms of a chunk: at most 16 of 4 bits, as 16 * 3 * 7 * 15 < 2^13 and 16 * 7 * 15 < 2^11 - 1, and 112 of 2
 * bits, as 112 * 3 * 3 < 2^10, and with inputs of 4 bits 112 * 3 * 15 < 2^13 and 112 * 15 < 2^11 - 1. Where
 * weights have both signs, sums of each are well below half of that. Fewer now and then, so that there are
 * several chunks. */
static uint32_t terms_of(const dimmer_conv2d_s8_t *r) {
    const uint32_t all = walk_of(r).terms;
    uint32_t terms = r->weight_bits == 4u ? 16u : 4u * (1u + below(28u));

    while (all % terms != 0u) {
        terms -= 4u;
    }
    return terms;
}

/* As low or as high as they may be where all weights have one sign. */
static void set_offsets(const dimmer_conv2d_s8_t *r, uint32_t terms) {
    const uint32_t products = terms * 3u * (r->weight_bits == 4u ? 105u : input_bits == 4u ? 15u : 3u);
    const uint32_t unit = input_bits == 4u ? 32u : 4u;
    const uint32_t least = (products + unit - 1u) / unit;
    const uint32_t most = ((input_bits == 4u ? 8191u : 1023u) - products) / unit;
    uint32_t c;

    for (c = 0; c < r->output_c; ++c) {
        const uint32_t code = kinds[c] == 0u   ? below(2u) * most
                              : kinds[c] == 1u ? (below(2u) != 0u ? least : 255u)
                                               : 128u;

        shifts[CHANNELS + c] = (int8_t)(code < 128u ? (int32_t)code : (int32_t)code - 256);
    }
}

static int same(const dimmer_conv2d_s8_t *r, uint32_t end) {
    const uint32_t bytes = (uint32_t)r->output_h * r->output_w * r->output_c;
    uint32_t i;

    if (memcmp(arena.bytes + r->output, expected, bytes) != 0) {
        return 0;
    }
    for (i = 0; i < 64u; ++i) {
        if (arena.bytes[end + i] != GUARD || arena.bytes[r->output + aligned(bytes) + i] != GUARD) {
            return 0;
        }
    }
    return 1;
}

static int differs(const dimmer_conv2d_s8_t *r) {
    const uint32_t bytes = (uint32_t)r->output_h * r->output_w * r->output_c;
    dimmer_conv2d_s8_narrow_dsp_t d;
    uint32_t end;

    d.conv = *r;
    d.conv.bias = 2u * CHANNELS;
    d.group = (uint16_t)(below(2u) != 0u ? r->output_c : 2u + 2u * below(3u));
    d.strip = (uint16_t)(2u + 2u * below(((uint32_t)r->output_h + 1u) / 2u));
    d.terms = (uint16_t)terms_of(r);
    end = r->scratch + scratch_of(r, d.group, d.strip, d.terms);
    d.offsets = CHANNELS;
    d.entry_multiplier = 0;
    set_offsets(r, d.terms);
    memset(arena.bytes + r->output, (int)GUARD, aligned(bytes) + 64u);
    memset(arena.bytes + end, (int)GUARD, 64u);
    (input_bits != r->weight_bits ? dimmer_conv2d_s8_apart_dsp : dimmer_conv2d_s8_narrow_dsp)(&model, &d,
                                                                                              arena.bytes);
    return !same(r, end);
}

/* The sum of the convolution and a random residual, which it overwrites. */
static int sum_differs(const dimmer_conv2d_s8_t *r) {
    const uint32_t bytes = (uint32_t)r->output_h * r->output_w * r->output_c;
    const uint32_t operand = 1u + below(2u);
    dimmer_conv2d_add_s8_narrow_dsp_t d;
    dimmer_add_s8_t add;
    uint32_t end;
    uint32_t i;

    memset(&add, 0, sizeof add);
    memset(&d, 0, sizeof d);
    add.dims[0] = add.dims[1] = add.dims[2] = 1u;
    add.dims[3] = bytes;
    add.multiplier1 = (int32_t)(0x40000000u + below(0x1000000u) * 64u);
    add.multiplier2 = (int32_t)(0x40000000u + below(0x1000000u) * 64u);
    add.multiplier_output = (int32_t)(0x40000000u + below(0x1000000u) * 64u);
    add.shift_output = (int8_t)-(int32_t)(17u + below(4u));
    add.left_shift = 20;
    add.zero_point1 = (int8_t)((int32_t)below(256u) - 128);
    add.zero_point2 = -128;
    add.output_zero_point = -100;
    add.activation_min = (int8_t)(below(2u) != 0u ? -128 : -100);
    add.activation_max = (int8_t)(below(2u) != 0u ? 127 : 90);
    for (i = 0; i < bytes; ++i) {
        residual[i] = (int8_t)((int32_t)below(256u) - 128);
    }
    memcpy(arena.bytes + r->output, expected, bytes);
    memcpy(arena.bytes + r->scratch, residual, bytes);
    add.input1 = operand == 1u ? r->output : r->scratch;
    add.input2 = operand == 1u ? r->scratch : r->output;
    add.output = r->output;
    dimmer_add_s8(&model, &add, arena.bytes);
    memcpy(expected, arena.bytes + r->output, bytes);
    memset(arena.bytes + r->output, (int)GUARD, aligned(bytes) + 64u);
    memcpy(arena.bytes + r->output, residual, bytes);
    add.input1 = operand == 1u ? ARENA_BYTES : r->output;
    add.input2 = operand == 1u ? r->output : ARENA_BYTES;
    d.conv = *r;
    d.conv.bias = 2u * CHANNELS;
    d.add = add;
    d.operand = (uint16_t)operand;
    d.group = (uint16_t)(below(2u) != 0u ? r->output_c : 2u);
    d.strip = (uint16_t)(2u + 2u * below(((uint32_t)r->output_h + 1u) / 2u));
    d.terms = (uint16_t)terms_of(r);
    d.offsets = CHANNELS;
    set_offsets(r, d.terms);
    end = r->scratch + 2048u + scratch_of(r, d.group, d.strip, d.terms);
    memset(arena.bytes + end, (int)GUARD, 64u);
    (input_bits != r->weight_bits ? dimmer_conv2d_add_s8_apart_dsp
                                  : dimmer_conv2d_add_s8_narrow_dsp)(&model, &d, arena.bytes);
    return !same(r, end);
}

int main(void) {
    uint32_t round;

    model.weights = weights;
    model.params = params;
    model.shifts = shifts;
    for (round = 0; round < ROUNDS; ++round) {
        dimmer_conv2d_s8_t r;
        uint32_t input;
        uint32_t i;

        shape(&r);
        numbers(&r, (uint32_t)r.kernel_h * r.kernel_w * r.input_c);
        input = (uint32_t)r.input_h * r.input_w * r.input_c;
        memset(arena.bytes, (int)GUARD, sizeof arena.bytes);
        r.output = aligned(input);
        r.scratch = r.output + aligned((uint32_t)r.output_h * r.output_w * r.output_c) + 64u;
        for (i = 0; i < input; ++i) {
            const uint32_t high = (1u << input_bits) - 1u;

            arena.bytes[i] = (uint8_t)(0x80u | (round % 3u == 0u ? high : below(high + 1u)));
        }
        dimmer_conv2d_s8(&model, &r, arena.bytes);
        memcpy(expected, arena.bytes + r.output, (size_t)r.output_h * r.output_w * r.output_c);
        if (differs(&r) || sum_differs(&r)) {
            return 1;
        }
    }
    return 0;
}
