/* Convolution kernels for one instruction set against the portable one, which is compared with the stock
 * interpreter elsewhere: random shapes, random and extreme values, and nothing written outside their buffers.
 */
#include <string.h>

#include "kernels/dimmer_kernels.h"

#define ROUNDS      400u
#define ARENA_BYTES 65536u
#define GUARD       0x5Au

static uint32_t state = 7u;

static uint32_t below(uint32_t limit) {
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % limit;
}

static int8_t next_value(uint32_t extremes) {
    return below(16u) < extremes ? (below(2u) != 0u ? 127 : -128) : (int8_t)(below(256u) - 128u);
}

static int8_t weights[24576];
static int32_t params[128];
static int8_t shifts[64];
static union {
    uint8_t bytes[ARENA_BYTES];
    uint64_t alignment;
} arena;
static int8_t expected[16384];
static dimmer_model_t model;

static uint32_t aligned(uint32_t size) {
    return (size + 15u) & ~15u;
}

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
    r->weight_bits = 8;
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
    return differs(dimmer_conv2d_s8_dsp, &d, &d.conv,
                   r->scratch + 4u * (pairs * (4u * groups + 8u) + 4u * groups) + 4u * pairs + 2u * row);
}

int main(void) {
    uint32_t round;

    model.weights = weights;
    model.params = params;
    model.shifts = shifts;
    for (round = 0; round < ROUNDS; ++round) {
        dimmer_conv2d_s8_t r;
        uint32_t input;
        uint32_t output;
        uint32_t depth;
        uint32_t i;

        shape(&r, 4u);
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
        if (direct_differs(&r)) {
            return 1;
        }
    }
    return 0;
}
