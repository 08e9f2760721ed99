/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions and sums of helium_test.c. */
#include "helium_fixture.h"

static int8_t residual[MOST_VALUES];
static int8_t entered[MOST_VALUES];

static void conv_shape(dimmer_conv2d_s8_t *r, uint32_t round) {
    const uint32_t square = round % 3u;

    memset(r, 0, sizeof *r);
    r->batches = 1u;
    r->kernel_h = (uint16_t)(1u + below(4u));
    r->kernel_w = (uint16_t)(1u + below(4u));
    r->stride_h = (uint16_t)(1u + below(2u));
    r->stride_w = (uint16_t)(1u + below(2u));
    r->dilation_h = (uint16_t)one_of(1u, 1u + below(2u));
    r->dilation_w = (uint16_t)one_of(1u, 1u + below(2u));
    r->input_c = (uint16_t)(1u + below(one_of(40u, 6u)));
    r->input_h = (uint16_t)(1u + below(11u));
    r->input_w = (uint16_t)(1u + below(11u));
    r->output_c = (uint16_t)(1u + below(18u));
    r->output_h = (uint16_t)(1u + below((uint32_t)r->input_h + 1u));
    r->output_w = (uint16_t)(1u + below((uint32_t)r->input_w + 1u));
    if (square == 0u) {
        r->kernel_h = r->kernel_w = 3u;
        r->dilation_h = r->dilation_w = 1u;
        r->input_c = (uint16_t)(16u + 16u * below(3u));
    } else if (square == 1u && below(2u) != 0u) {
        r->kernel_h = r->kernel_w = 1u;
        r->output_h = (uint16_t)((r->input_h + r->stride_h - 1u) / r->stride_h);
        r->output_w = (uint16_t)((r->input_w + r->stride_w - 1u) / r->stride_w);
    }
    r->pad_top = (uint16_t)below(r->kernel_h);
    r->pad_left = (uint16_t)below(r->kernel_w);
    r->weight_bits = 8;
}

/* As the kernel's comment in dimmer_kernels.h has it. */
static uint32_t conv_scratch(const dimmer_conv2d_s8_t *r, uint32_t group, uint32_t columns, int entry) {
    const uint32_t depth = aligned((uint32_t)r->kernel_w * r->input_c * r->kernel_h);
    const uint32_t panel = (group + 1u) / 2u * (2u * depth + 64u) + (entry ? 256u : 0u);
    const uint32_t reach = (r->output_w - 1u) * r->stride_w + (r->kernel_w - 1u) * r->dilation_w + 1u;
    const uint32_t padded = (uint32_t)r->pad_left + r->input_w;
    uint32_t strip;

    if (columns != 0u) {
        return panel + aligned(r->input_c / 16u * 12u) +
               r->input_c / 16u * 64u * larger((r->output_w - 1u) * r->stride_w + 3u, padded);
    }
    if (!entry && r->kernel_h == 1u && r->kernel_w == 1u && r->pad_top == 0u && r->pad_left == 0u &&
        (r->output_h - 1u) * r->stride_h < r->input_h && (r->output_w - 1u) * r->stride_w < r->input_w) {
        return panel + (r->input_c % 16u == 0u ? 0u : 4u * depth);
    }
    strip = (larger(reach, padded) + r->dilation_w - 1u) / r->dilation_w * r->dilation_w;
    strip *= (uint32_t)r->kernel_h * r->input_c;
    return panel + 4u * depth + aligned(2u * r->input_w * r->input_c) +
           aligned((r->output_w % 4u == 0u ? 1u : 2u + 2u / r->output_w) * strip) + 16u;
}

static void sum_numbers(dimmer_add_s8_t *add, uint32_t elements) {
    const uint32_t linear = 1u + below(2u);

    memset(add, 0, sizeof *add);
    add->dims[0] = add->dims[1] = add->dims[2] = 1u;
    add->dims[3] = elements;
    add->multiplier1 = (int32_t)(linear == 1u ? 0x40000000u : 0x40000000u + below(0x1000000u) * 64u);
    add->multiplier2 = (int32_t)(linear == 2u ? 0x40000000u : 0x40000000u + below(0x1000000u) * 64u);
    add->shift1 = (int8_t)(linear == 1u ? 0 : -(int32_t)below(4u));
    add->shift2 = (int8_t)(linear == 2u ? 0 : -(int32_t)below(4u));
    add->multiplier_output = (int32_t)(0x40000000u + below(0x1000000u) * 64u);
    add->shift_output = (int8_t)-(int32_t)(17u + below(4u));
    add->left_shift = 20;
    add->zero_point1 = next_value(4u);
    add->zero_point2 = next_value(4u);
    add->output_zero_point = next_value(4u);
    limits(add->output_zero_point, &add->activation_min, &add->activation_max);
}

int add_differs(void) {
    const uint32_t elements = 1u + below(300u);
    dimmer_add_s8_mve_t a;

    sum_numbers(&a.add, elements);
    a.add.input1 = 0u;
    a.add.input2 = aligned(elements);
    a.add.output = 2u * aligned(elements);
    a.scratch = a.add.output + aligned(elements + GUARD_BYTES);
    fill((int8_t *)arena.bytes, 2u * aligned(elements), 4u);
    dimmer_add_s8(&model, &a.add, arena.bytes);
    memcpy(expected, arena.bytes + a.add.output, elements);
    memset(arena.bytes + a.add.output, 0, elements);
    return differs(dimmer_add_s8_mve, &a, a.add.output, elements, a.scratch + 1024u);
}

/* The sum of `expected` and a random residual, which it overwrites; with the numbers of a QUANTIZE also of
 * inputs that go through that. */
static int conv_add_differs(const dimmer_conv2d_s8_t *r, uint32_t group, uint32_t columns,
                            const dimmer_requantize_s8_t *entry) {
    const uint32_t bytes = (uint32_t)r->output_h * r->output_w * r->output_c;
    const uint32_t end = r->scratch + conv_scratch(r, group, columns, entry != NULL) + 1024u + 16u * group;
    dimmer_conv2d_add_s8_entry_mve_t e;
    dimmer_conv2d_add_s8_mve_t d;

    memset(&d, 0, sizeof d);
    d.conv = *r;
    d.operand = (uint16_t)(1u + below(2u));
    d.group = (uint16_t)group;
    d.columns = (uint16_t)columns;
    sum_numbers(&d.add, bytes);
    fill(residual, bytes, 4u);
    memcpy(arena.bytes + r->output, expected, bytes);
    memcpy(arena.bytes + r->scratch, residual, bytes);
    d.add.input1 = d.operand == 1u ? r->output : r->scratch;
    d.add.input2 = d.operand == 1u ? r->scratch : r->output;
    d.add.output = r->output;
    dimmer_add_s8(&model, &d.add, arena.bytes);
    memcpy(expected, arena.bytes + r->output, bytes);
    memcpy(arena.bytes + r->output, residual, bytes);
    d.add.input1 = d.operand == 1u ? ARENA_BYTES : r->output;
    d.add.input2 = d.operand == 1u ? r->output : ARENA_BYTES;
    if (entry == NULL) {
        return differs(dimmer_conv2d_add_s8_mve, &d, r->output, bytes, end);
    }
    e.conv = d.conv;
    e.add = d.add;
    e.operand = d.operand;
    e.group = d.group;
    e.columns = d.columns;
    e.entry_multiplier = entry->multiplier;
    e.entry_zero_point = (int8_t)entry->input_zero_point;
    e.entry_shift = entry->shift;
    return differs(dimmer_conv2d_add_s8_entry_mve, &e, r->output, bytes, end);
}

/* The convolution of inputs that went through a QUANTIZE, against both as one kernel. */
static int entry_differs(const dimmer_conv2d_s8_mve_t *d, uint32_t extremes) {
    const dimmer_conv2d_s8_t *r = &d->conv;
    const uint32_t input = (uint32_t)r->input_h * r->input_w * r->input_c;
    const uint32_t bytes = (uint32_t)r->output_h * r->output_w * r->output_c;
    dimmer_conv2d_s8_entry_mve_t e;
    dimmer_requantize_s8_t q;

    memset(&q, 0, sizeof q);
    q.elements = input;
    q.multiplier = (int32_t)(0x40000000u + below(0x1000000u) * 64u);
    q.shift = (int8_t)-(int32_t)below(7u);
    q.input_zero_point = next_value(4u);
    q.output_zero_point = r->input_zero_point;
    q.activation_min = -128;
    q.activation_max = 127;
    fill(entered, input, extremes);
    memcpy(arena.bytes, entered, input);
    dimmer_requantize_s8(&model, &q, arena.bytes);
    dimmer_conv2d_s8(&model, r, arena.bytes);
    memcpy(expected, arena.bytes + r->output, bytes);
    memset(arena.bytes + r->output, 0, bytes);
    memcpy(arena.bytes, entered, input);
    memset(&e, 0, sizeof e);
    e.conv = *r;
    e.group = d->group;
    e.columns = d->columns;
    e.entry_multiplier = q.multiplier;
    e.entry_zero_point = (int8_t)q.input_zero_point;
    e.entry_shift = q.shift;
    if (differs(dimmer_conv2d_s8_entry_mve, &e, r->output, bytes,
                r->scratch + conv_scratch(r, e.group, e.columns, 1))) {
        return ENTRY_CONV;
    }
    return conv_add_differs(r, d->group, d->columns, &q) ? ENTRY_CONV_ADD : 0;
}

int convolution(uint32_t round) {
    const uint32_t extremes = round % 3u * 8u;
    dimmer_conv2d_s8_mve_t d;
    dimmer_conv2d_s8_t r;
    uint32_t square;
    uint32_t input;
    uint32_t bytes;
    uint32_t i;

    conv_shape(&r, round);
    input = (uint32_t)r.input_h * r.input_w * r.input_c;
    bytes = (uint32_t)r.output_h * r.output_w * r.output_c;
    fill(weights, (uint32_t)r.output_c * r.kernel_h * r.kernel_w * r.input_c, extremes);
    tables(r.output_c);
    r.multipliers = 128u;
    r.weight_bits = (uint8_t)(below(4u) != 0u ? 8u : one_of(4u, 2u));
    r.slice_channels = (uint8_t)(r.weight_bits == 8u ? 0u : r.output_c);
    /* Multipliers of about 1 and more, with sums that are small enough to see. */
    for (i = 0; i < r.output_c; ++i) {
        if (round % 4u == 3u && below(2u) != 0u) {
            shifts[i] = (int8_t)below(r.weight_bits == 8u ? 1u : 5u);
            params[i] = (int32_t)below(200u) - 100;
        }
    }
    r.input_zero_point = next_value(4u);
    r.output_zero_point = next_value(4u);
    limits(r.output_zero_point, &r.activation_min, &r.activation_max);
    r.output = aligned(input + GUARD_BYTES);
    r.scratch = r.output + aligned(bytes + GUARD_BYTES);
    memset(arena.bytes, (int)GUARD, sizeof arena.bytes);
    fill((int8_t *)arena.bytes, input, extremes);
    dimmer_conv2d_s8(&model, &r, arena.bytes);
    memcpy(expected, arena.bytes + r.output, bytes);
    memset(arena.bytes + r.output, 0, bytes);
    square = r.kernel_h == 3u && r.kernel_w == 3u && r.dilation_h == 1u && r.dilation_w == 1u &&
             r.input_c % 16u == 0u;
    d.conv = r;
    d.group = (uint16_t)one_of(r.output_c, 2u + 2u * below(3u));
    d.columns = (uint16_t)(square != 0u && r.output_w >= 4u ? below(2u) : 0u);
    if (differs(dimmer_conv2d_s8_mve, &d, r.output, bytes,
                r.scratch + conv_scratch(&r, d.group, d.columns, 0))) {
        return CONV;
    }
    if (conv_add_differs(&r, d.group, d.columns, NULL)) {
        return CONV_ADD;
    }
    return entry_differs(&d, extremes);
}
