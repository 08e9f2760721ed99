/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels for the DSP extension that rescale a sum times 256 with one product (the generator proves elsewhere
 * that the codes are TFLite's) against plain loops: windows of every size, step and padding, random and
 * extreme values, and nothing written outside the output and the scratch.
 */
#include <string.h>

#include "dimmer_kernels.h"

#define RANDOM_SEED 11u
#include "random_values.h"

#define ROUNDS      400u
#define ARENA_BYTES 65536u
#define CHANNELS    20u
#define BYTES       16384u

static int8_t plain[24576]; /* weights as TFLite has them */
static int8_t packed[24576];
static int32_t params[256];
static int32_t offsets[CHANNELS];
static int32_t multipliers[CHANNELS];
static int32_t steps[CHANNELS];
static struct {
    uint8_t bytes[ARENA_BYTES];
} arena __attribute__((aligned(16)));
static int8_t expected[BYTES];
static int8_t residual[BYTES];
static dimmer_model_t model;

static int8_t clamped(int64_t x, int32_t low, int32_t high) {
    return (int8_t)(x < low ? low : x > high ? high : x);
}

/* What the kernels' header says: times 256, a step where that is negative, a product, `start`, a shift. */
static int8_t code_of(int32_t sum, uint32_t channel, int32_t start, int32_t down) {
    int64_t v = (int64_t)256 * sum + offsets[channel];

    v -= v < 0 ? steps[channel] : 0;
    return clamped(((v * multipliers[channel] >> 32) + start) >> down, -128, 127);
}

static void channels(uint32_t count, uint32_t stepped) {
    uint32_t i;

    for (i = 0; i < CHANNELS; ++i) {
        offsets[i] = i < count ? (int32_t)below(50000000u) - 25000000 : 0;
        multipliers[i] = i < count ? (int32_t)(1u + below(below(2u) != 0u ? 1u << 20 : 1u << 14) * 512u) : 0;
        steps[i] = i < count && stepped != 0u ? (int32_t)below(512u) : 0;
    }
}

/* Weights of which no two overflow a halfword. */
static void fill_weights(uint32_t count, uint32_t extremes) {
    uint32_t i;

    for (i = 0; i < count; ++i) {
        plain[i] = next_value(extremes);
        plain[i] = plain[i] == -128 ? -127 : plain[i];
    }
}

static int untouched(uint32_t from, uint32_t to) {
    for (; from < to; ++from) {
        if (arena.bytes[from] != GUARD) {
            return 0;
        }
    }
    return 1;
}

static void conv_shape(dimmer_conv2d_s8_t *r) {
    memset(r, 0, sizeof *r);
    r->batches = 1u;
    r->kernel_h = (uint16_t)(1u + below(4u));
    r->kernel_w = (uint16_t)(1u + below(4u));
    r->stride_h = (uint16_t)(1u + below(2u));
    r->stride_w = (uint16_t)(1u + below(2u));
    r->dilation_h = r->dilation_w = (uint16_t)(below(6u) == 0u ? 2u : 1u);
    r->input_c = (uint16_t)(1u + below(below(2u) != 0u ? 20u : 6u));
    r->input_h = (uint16_t)(1u + below(11u));
    r->input_w = (uint16_t)(1u + below(11u));
    r->output_c = (uint16_t)(1u + below(18u));
    r->output_h = (uint16_t)(1u + below((uint32_t)r->input_h + 1u));
    r->output_w = (uint16_t)(1u + below((uint32_t)r->input_w + 1u));
    r->pad_top = (uint16_t)below(r->kernel_h);
    r->pad_left = (uint16_t)below(r->kernel_w);
    if (below(4u) == 0u) {
        r->kernel_h = r->kernel_w = r->stride_h = r->stride_w = 1u;
        r->pad_top = r->pad_left = 0u;
        r->input_c = (uint16_t)(4u * (1u + below(20u)));
        r->output_c = (uint16_t)(4u * (1u + below(4u)));
        r->output_h = r->input_h;
        r->output_w = r->input_w;
    }
    r->weight_bits = 8u;
    r->input_zero_point = next_value(4u);
    r->output_zero_point = next_value(4u);
    r->activation_min = (int8_t)(below(3u) != 0u ? -128 : -50);
    r->activation_max = (int8_t)(below(3u) != 0u ? 127 : 50);
}

static int32_t element(const dimmer_conv2d_s8_t *r, int32_t y, int32_t x, uint32_t c) {
    if (y < 0 || y >= r->input_h || x < 0 || x >= r->input_w) {
        return r->input_zero_point;
    }
    return (int8_t)arena.bytes[r->input + ((uint32_t)y * r->input_w + (uint32_t)x) * r->input_c + c];
}

static void conv_expected(const dimmer_conv2d_s8_t *r, uint32_t stepped) {
    const int32_t start = stepped != 0u ? r->output_zero_point * 2048 + 1024 : 0;
    int8_t *to = expected;
    uint32_t y;
    uint32_t x;
    uint32_t o;

    for (y = 0; y < r->output_h; ++y) {
        for (x = 0; x < r->output_w; ++x) {
            for (o = 0; o < r->output_c; ++o) {
                const int8_t *w = plain + o * r->kernel_h * r->kernel_w * r->input_c;
                int32_t sum = 0;
                uint32_t i;
                uint32_t j;
                uint32_t c;

                for (i = 0; i < r->kernel_h; ++i) {
                    for (j = 0; j < r->kernel_w; ++j) {
                        for (c = 0; c < r->input_c; ++c) {
                            sum += *w++ *
                                   element(r, (int32_t)(y * r->stride_h + i * r->dilation_h) - r->pad_top,
                                           (int32_t)(x * r->stride_w + j * r->dilation_w) - r->pad_left, c);
                        }
                    }
                }
                *to++ = clamped(code_of(sum, o, start, 11), r->activation_min, r->activation_max);
            }
        }
    }
}

/* Steps of a row of the kernel. */
static uint32_t steps_of(const dimmer_conv2d_s8_t *r) {
    const uint32_t row = (uint32_t)r->kernel_w * r->input_c;

    return (row + 1u) / 2u + (row % 4u == 2u ? 1u : 0u);
}

/* The weight of a channel in a row of the kernel, of which there may be none. */
static int32_t weight(const dimmer_conv2d_s8_t *r, uint32_t channel, uint32_t y, uint32_t k) {
    const uint32_t row = (uint32_t)r->kernel_w * r->input_c;

    return channel >= r->output_c || k >= row ? 0 : plain[(channel * r->kernel_h + y) * row + k];
}

static void pack(const dimmer_conv2d_s8_t *r, uint32_t stepped) {
    const uint32_t row = steps_of(r);
    int32_t *param = params;
    int8_t *to = packed;
    uint32_t first;
    uint32_t i;

    for (first = 0; first < r->output_c; first += 4u) {
        for (i = 0; i < 4u * row * r->kernel_h; ++i) {
            const uint32_t channel = first + i / 2u % 2u * 2u;
            const uint32_t step = i / 4u % row;
            const uint32_t k = step / 2u * 4u + step % 2u + i % 2u * 2u;
            const uint32_t y = i / 4u / row;
            const int32_t both = 256 * weight(r, channel, y, k) + weight(r, channel + 1u, y, k);

            *to++ = (int8_t)(uint8_t)((uint32_t)both & 0xFFu);
            *to++ = (int8_t)(uint8_t)((uint32_t)both >> 8 & 0xFFu);
        }
        for (i = first; i < first + 4u; i += 2u) {
            if (stepped != 0u) {
                *param++ = steps[i];
            }
            *param++ = multipliers[i];
            *param++ = (int32_t)((uint32_t)offsets[i + 1u] + (stepped != 0u ? 0u : 0x80000000u));
            if (stepped != 0u) {
                *param++ = steps[i + 1u];
            }
            *param++ = multipliers[i + 1u];
        }
        *param++ = offsets[first] - (stepped != 0u ? 0 : 0x800000);
        *param++ = offsets[first + 2u] - (stepped != 0u ? 0 : 0x800000);
    }
}

/* Bytes of scratch as the header says. */
static uint32_t paired_scratch(const dimmer_conv2d_s8_t *r, uint32_t strip, int added) {
    const uint32_t row = (uint32_t)r->kernel_w * r->input_c;
    const uint32_t beside = (r->output_w + 1u) / 2u * r->output_h;
    const uint32_t stacked = (r->output_h + 1u) / 2u * r->output_w;
    const uint32_t down = (beside > stacked ? 2u : 1u) * r->stride_h;
    const uint32_t unit = r->kernel_h == 1u ? down : r->dilation_h;
    const uint32_t rows = (down % unit != 0u ? 0u : (strip - 1u) * (down / unit)) + r->kernel_h;
    const int plain_results =
        !added && r->output_c % 4u == 0u && r->activation_min == -128 && r->activation_max == 127;
    const uint32_t results =
        plain_results ? 0u : 2u * (down % unit != 0u ? 1u : strip) * ((r->output_c + 3u) / 4u * 4u);

    return 8u * steps_of(r) * rows + 2u * ((row + 3u) / 4u * 4u) + results;
}

static void random_sum(dimmer_add_s8_t *add, uint32_t bytes, int linear) {
    memset(add, 0, sizeof *add);
    add->dims[0] = add->dims[1] = add->dims[2] = 1u;
    add->dims[3] = bytes;
    add->multiplier1 = (int32_t)(0x40000000u + below(0x1000000u) * 64u);
    add->multiplier2 = (int32_t)(0x40000000u + below(0x1000000u) * 64u);
    add->multiplier_output = (int32_t)(0x40000000u + below(0x1000000u) * 64u);
    add->shift1 = (int8_t)-(int32_t)below(4u);
    add->shift2 = (int8_t)-(int32_t)below(4u);
    add->shift_output = (int8_t)-(int32_t)(17u + below(4u));
    add->left_shift = 20;
    add->zero_point1 = next_value(4u);
    add->zero_point2 = next_value(4u);
    add->output_zero_point = next_value(4u);
    add->activation_min = (int8_t)(below(2u) != 0u ? -128 : -100);
    add->activation_max = (int8_t)(below(2u) != 0u ? 127 : 90);
    if (linear) {
        add->left_shift = 0;
        add->multiplier1 = (int32_t)below(4000000u);
        add->multiplier2 = (int32_t)below(4000000u);
        add->multiplier_output = (int32_t)below(300000000u) - 150000000;
    }
}

/* expected = the sum of expected and residual, of which expected is `operand`. */
static void sum_expected(const dimmer_add_s8_t *add, uint32_t operand, uint32_t bytes) {
    dimmer_add_s8_t portable = *add;
    uint32_t i;

    for (i = 0; i < bytes; ++i) {
        residual[i] = next_value(4u);
    }
    if (add->left_shift != 0) {
        portable.input1 = operand == 1u ? 0u : BYTES;
        portable.input2 = operand == 1u ? BYTES : 0u;
        portable.output = 2u * BYTES;
        memcpy(arena.bytes, expected, bytes);
        memcpy(arena.bytes + BYTES, residual, bytes);
        dimmer_add_s8(&model, &portable, arena.bytes);
        memcpy(expected, arena.bytes + 2u * BYTES, bytes);
        return;
    }
    for (i = 0; i < bytes; ++i) {
        const int32_t first = operand == 1u ? expected[i] : residual[i];
        const int32_t second = operand == 1u ? residual[i] : expected[i];
        const int32_t sum = add->multiplier1 * first + add->multiplier2 * second + add->multiplier_output;

        expected[i] = clamped(sum >> 21, add->activation_min, add->activation_max);
    }
}

static int paired_differs(uint32_t round) {
    const uint32_t stepped = round % 2u;
    const int added = round % 3u == 0u;
    const uint32_t operand = 1u + below(2u);
    static int8_t input[4096];
    dimmer_conv2d_s8_paired_dsp_t d;
    dimmer_conv2d_add_s8_paired_dsp_t a;
    dimmer_conv2d_s8_t *const r = &d.conv;
    uint32_t depth;
    uint32_t bytes;
    uint32_t end;
    uint32_t i;

    memset(&d, 0, sizeof d);
    memset(&a, 0, sizeof a);
    conv_shape(r);
    depth = (uint32_t)r->kernel_h * r->kernel_w * r->input_c;
    bytes = (uint32_t)r->output_h * r->output_w * r->output_c;
    for (i = 0; i < (uint32_t)r->input_h * r->input_w * r->input_c; ++i) {
        input[i % sizeof input] = next_value(round % 3u * 8u);
    }
    memset(arena.bytes, (int)GUARD, sizeof arena.bytes);
    for (i = 0; i < (uint32_t)r->input_h * r->input_w * r->input_c; ++i) {
        arena.bytes[i] = (uint8_t)input[i % sizeof input];
    }
    fill_weights(r->output_c * depth, round % 4u * 5u);
    channels(r->output_c, stepped);
    pack(r, stepped);
    conv_expected(r, stepped);
    if (added) {
        random_sum(&a.add, bytes, round % 2u == 0u);
        sum_expected(&a.add, operand, bytes);
    }
    memset(arena.bytes, (int)GUARD, sizeof arena.bytes);
    for (i = 0; i < (uint32_t)r->input_h * r->input_w * r->input_c; ++i) {
        arena.bytes[i] = (uint8_t)input[i % sizeof input];
    }
    r->output = aligned((uint32_t)r->input_h * r->input_w * r->input_c);
    r->scratch = r->output + aligned(bytes) + 64u;
    d.strip = (uint16_t)(1u + below(r->output_h));
    end = r->scratch + paired_scratch(r, d.strip, added);
    d.step = (uint16_t)stepped;
    if (added) {
        a.conv = *r;
        a.step = (uint16_t)stepped;
        a.strip = d.strip;
        a.operand = (uint16_t)operand;
        a.add.output = r->output;
        a.add.input1 = operand == 1u ? ARENA_BYTES : r->output;
        a.add.input2 = operand == 1u ? r->output : ARENA_BYTES;
        end += a.add.left_shift != 0 ? 2048u : 0u;
        /* In place. */
        memcpy(arena.bytes + r->output, residual, bytes);
        dimmer_conv2d_add_s8_paired_dsp(&model, &a, arena.bytes);
    } else {
        dimmer_conv2d_s8_paired_dsp(&model, &d, arena.bytes);
    }
    return memcmp(arena.bytes + r->output, expected, bytes) != 0 ||
           !untouched(r->output + bytes, r->scratch) || !untouched(end, end + 64u);
}

static int sum_differs(uint32_t round) {
    const uint32_t bytes = 1u + below(300u);
    dimmer_add_s8_dsp_t d;
    uint32_t i;

    memset(&d, 0, sizeof d);
    random_sum(&d.add, bytes, round % 2u == 0u);
    for (i = 0; i < bytes; ++i) {
        expected[i] = next_value(4u);
    }
    memcpy(arena.bytes + 3u * BYTES, expected, bytes);
    sum_expected(&d.add, 1u, bytes);
    memcpy(arena.bytes, arena.bytes + 3u * BYTES, bytes);
    memcpy(arena.bytes + BYTES, residual, bytes);
    memset(arena.bytes + 2u * BYTES, (int)GUARD, 512u);
    d.add.input2 = BYTES;
    d.add.output = 2u * BYTES;
    d.scratch = 3u * BYTES;
    dimmer_add_s8_dsp(&model, &d, arena.bytes);
    return memcmp(arena.bytes + d.add.output, expected, bytes) != 0 ||
           !untouched(d.add.output + bytes, d.add.output + 512u);
}

/* A depthwise layer as a convolution of one channel. */
static int planes_differ(uint32_t round) {
    dimmer_depthwise_conv2d_s8_3x3_dsp_t d;
    dimmer_depthwise_conv2d_s8_t *const r = &d.conv;
    uint32_t bytes;
    uint32_t length;
    uint32_t stride;
    uint32_t rows;
    uint32_t end;
    uint32_t i;

    memset(&d, 0, sizeof d);
    memset(arena.bytes, (int)GUARD, sizeof arena.bytes);
    d.transposed = (uint16_t)below(2u);
    r->batches = r->depth_multiplier = r->dilation_h = r->dilation_w = 1u;
    r->kernel_h = r->kernel_w = 3u;
    r->stride_h = (uint16_t)(1u + below(d.transposed != 0u ? 2u : 3u));
    r->stride_w = (uint16_t)(1u + below(d.transposed != 0u ? 3u : 2u));
    r->pad_top = (uint16_t)below(d.transposed != 0u ? 2u : 3u);
    r->pad_left = (uint16_t)below(d.transposed != 0u ? 3u : 2u);
    r->input_c = (uint16_t)(4u * (1u + below(4u)));
    r->input_h = (uint16_t)(1u + below(14u));
    r->input_w = (uint16_t)(1u + below(14u));
    r->output_h = (uint16_t)(1u + below((uint32_t)r->input_h + 1u));
    r->output_w = (uint16_t)(1u + below((uint32_t)r->input_w + 1u));
    r->output = 4096u;
    d.scratch = 8192u;
    bytes = (uint32_t)r->output_h * r->output_w * r->input_c;
    length = d.transposed != 0u ? r->output_h : r->output_w;
    stride = d.transposed != 0u ? r->stride_h : r->stride_w;
    rows = d.transposed != 0u ? r->output_w : r->output_h;
    d.strip = (uint16_t)(1u + below(rows));
    end = d.scratch + 128u +
          16u * ((length + 1u) / 2u * stride + 1u) *
              ((d.strip - 1u) * (d.transposed != 0u ? r->stride_w : r->stride_h) + 3u);
    r->multipliers = CHANNELS;
    r->input_zero_point = next_value(4u);
    r->output_zero_point = next_value(4u);
    r->activation_min = (int8_t)(below(3u) != 0u ? -128 : -50);
    r->activation_max = (int8_t)(below(3u) != 0u ? 127 : 50);
    for (i = 0; i < (uint32_t)r->input_h * r->input_w * r->input_c; ++i) {
        arena.bytes[i] = (uint8_t)next_value(round % 3u * 8u);
    }
    for (i = 0; i < 9u * r->input_c; ++i) {
        plain[i] = next_value(round % 3u * 8u);
    }
    channels(r->input_c, 0u);
    memcpy(params, offsets, sizeof offsets);
    memcpy(params + CHANNELS, multipliers, sizeof multipliers);
    for (i = 0; i < bytes; ++i) {
        const uint32_t c = i % r->input_c;
        const uint32_t pixel = i / r->input_c;
        const int32_t top = (int32_t)(pixel / r->output_w * r->stride_h) - r->pad_top;
        const int32_t left = (int32_t)(pixel % r->output_w * r->stride_w) - r->pad_left;
        int32_t sum = 0;
        int32_t tap;

        for (tap = 0; tap < 9; ++tap) {
            const int32_t y = top + tap / 3;
            const int32_t x = left + tap % 3;
            const int inside = y >= 0 && y < r->input_h && x >= 0 && x < r->input_w;
            const uint32_t at = ((uint32_t)y * r->input_w + (uint32_t)x) * r->input_c + c;

            sum += plain[(uint32_t)tap * r->input_c + c] *
                   (inside ? (int32_t)(int8_t)arena.bytes[at] : (int32_t)r->input_zero_point);
        }
        expected[i] = clamped(code_of(sum, c, 0, 10), r->activation_min, r->activation_max);
    }
    model.weights = plain;
    dimmer_depthwise_conv2d_s8_3x3_dsp(&model, &d, arena.bytes);
    model.weights = packed;
    return memcmp(arena.bytes + r->output, expected, bytes) != 0 ||
           !untouched(r->output + bytes, d.scratch) || !untouched(end, sizeof arena.bytes);
}

int main(void) {
    uint32_t round;

    model.weights = packed;
    model.params = params;
    for (round = 0; round < ROUNDS; ++round) {
        if (paired_differs(round) || sum_differs(round) || planes_differ(round)) {
            return 1;
        }
    }
    return 0;
}
