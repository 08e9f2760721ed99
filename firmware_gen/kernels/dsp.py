# SPDX-License-Identifier: Apache-2.0
"""Kernels for Arm cores with the DSP extension: Cortex-M4, M7 and M33."""

from __future__ import annotations

from dimmer.firmware_gen.kernels.fused import CONV_AND_ADD
from dimmer.firmware_gen.kernels.portable import ADD, BATCH_MATMUL, CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED
from dimmer.firmware_gen.kernels.record import Part, holding, i8, i32, kernel, sharing, u16, u32

CONV_2D_DSP = kernel(
    "dimmer_conv2d_s8_dsp",
    """
    CONV_2D for Arm cores with the DSP extension: weights of `group` channels are widened to a panel of int16 in
    scratch, and then every two pixels; 16 products take 10 instructions. batches is 1, weight_bits is 8, shifts are
    -22..-1, and no |bias + part of the sum| reaches 2^30. group is even, or output_c.
    """,
    holding("conv", CONV_2D),
    *u16("group", meaning="output channels in one pass"),
    *u16("reserved2"),
    scratch="""
    with P = (group + 1) / 2 and G = kernel_h * R4(kernel_w * input_c) / 4, 4 * (P * (4 * G + 8) + 4 * G) + 4 * P +
    2 * kernel_w * input_c
    """,
)
CONV_2D_SLICED_DSP = sharing(
    CONV_2D_DSP.record,
    "dimmer_conv2d_s8_sliced_dsp",
    "As dimmer_conv2d_s8_dsp, with slices of the weights: weight_bits is 4 or 2.",
    scratch="as dimmer_conv2d_s8_dsp",
)
CONV_2D_PAIRED_DSP = kernel(
    "dimmer_conv2d_s8_paired_dsp",
    """
    CONV_2D for Arm cores with the DSP extension, of every two pixels and four channels; 32 products take 28
    instructions. Each two channels' weights share halfwords, int16[R4(output_c) / 4,steps,2,2] little-endian:
    256 * (those of the first channel) + (those of the second, or 0), the first pair of channels, then the second. A
    step is two inputs of a row of the kernel: of every four 0 and 2, then 1 and 3; of what is left of a row likewise,
    with weights of 0 where there is no input, and without a step that has none: S(kernel_w * input_c) steps a row,
    S(n) = (n + 1) / 2 in whole numbers, one more where n % 4 is 2.

    A sum is scaled by 256, v = 256 * sum of products + offset, and its code is (v * multiplier >> 32) >> 11, saturated.
    Where step is 1, v loses `step` where it is negative, and the code is output_zero_point +
    (v * multiplier / 2^43, rounded), saturated: (v * multiplier >> 32) + 2^10 >> 11. bias is an index into params of
    int32[R4(output_c) / 4,8]: multiplier of channel 0, offset and multiplier of 1, multiplier of 2, offset and
    multiplier of 3, offsets of 0 and 2; where step is 1 of int32[R4(output_c) / 4,12], with a step before the
    multipliers of 0 and 2 and behind the offsets of 1 and 3. Where step is 0, offsets of even channels have 2^23 less
    there, those of odd ones 2^31 modulo 2^32, and a channel has 2048 steps at most. No v reaches 2^31, no sum of
    products 2^23. batches is 1, weights is a multiple of 4; multipliers and shifts are not read. Tiles of two pixels
    that lie below each other share inputs, `strip` of them at a time.
    """,
    holding("conv", CONV_2D),
    *u16("step", meaning="1 where negative sums lose something, else 0"),
    *u16("strip", meaning="tiles"),
    scratch="""
    with T = 2 where ((output_w + 1) / 2) * output_h > ((output_h + 1) / 2) * output_w, else 1, U = T * stride_h where
    kernel_h is 1, else dilation_h, and A = T * stride_h / U, or strip 1 if that is no whole number:
    8 * S(kernel_w * input_c) * ((strip - 1) * A + kernel_h) + 2 * R4(kernel_w * input_c), and unless output_c is a
    multiple of 4, activations are -128..127 and nothing is added, 2 * strip * R4(output_c)
    """,
)
CONV_2D_F43_DSP = kernel(
    "dimmer_conv2d_s8_f43_dsp",
    """
    CONV_2D for Arm cores with the DSP extension, Winograd's F(4,3): kernel_w is 3, stride_w and both dilations are 1,
    input_c is a multiple of 4, output_c and group are even; no |part of the sum| reaches 2^28. The rest as
    dimmer_conv2d_s8_dsp. Inputs of `strip` rows of outputs are transformed at a time.
    """,
    holding("conv", CONV_2D),
    *u16("group", meaning="output channels in one pass"),
    *u16("strip", meaning="rows of outputs"),
    scratch="""
    with R = (strip - 1) * stride_h + kernel_h and W = (output_w + 7) / 8, group / 2 * (24 * kernel_h * input_c + 32) +
    24 * W * R * input_c + 6 * input_c + 8 * group
    """,
)
CONV_2D_F43_SLICED_DSP = sharing(
    CONV_2D_F43_DSP.record,
    "dimmer_conv2d_s8_f43_sliced_dsp",
    "As dimmer_conv2d_s8_f43_dsp, with slices of the weights: weight_bits is 4 or 2.",
    scratch="as dimmer_conv2d_s8_f43_dsp",
)
CONV_2D_NARROW_DSP = kernel(
    "dimmer_conv2d_s8_narrow_dsp",
    """
    CONV_2D of narrow inputs with narrow weights for Arm cores with the DSP extension (narrow.h): weight_bits is 4 or
    2, input_zero_point is -128, and no input is above -113 (4 bits) or -125 (2 bits). bias has no zero point folded
    in: inputs count from 0 here. batches and both dilations are 1, kernel_w <= 3, stride_w <= 2, pad_left < kernel_w,
    input_c is a multiple of 4, output_c, group and strip are even.

    entry_multiplier is 0, or the inputs go through a QUANTIZE first: from entry_zero_point to -128, entry_multiplier
    and entry_shift as in dimmer_requantize_s8; what is said of inputs holds behind it.

    A word holds Q = 3 inputs (4 bits) or 4, S = 13 bits apart or 10. A row of inputs has P = min(kernel_w, stride_w)
    phases: phase p has taps p, p + stride_w, ..., N(p) of them, begins at
    B(p) = min(ceil(max(pad_left - p, 0) / stride_w), N(p) - 1) and ends at
    E(p) = min((input_w - 1 + pad_left - p) / stride_w + 1, output_w + N(p) - 1). X is the largest N(p) - 1 - B(p),
    K = kernel_h * P * input_c. `terms` divides K and has a multiple of 4 in common with input_c: as many are added up
    before a sum is read. offsets is an index into shifts: of a uint8 for each channel, in units of 2^(S - 8); it is at
    least what the negative products of `terms` terms add up to, and with what the positive ones add up to it is below
    2^S. Both are below 2^(63 - Q * S - S) - 1 for those products alone whose tap has B(p) + X - 2 others before it in
    its phase. shifts are -22..12, and (|bias| + 2^S * K / terms) * 2^max(shift, 0) is below 2^30.
    """,
    holding("conv", CONV_2D),
    *u32("offsets"),
    *i32("entry_multiplier"),
    *u16("group", meaning="output channels in one pass"),
    *u16("strip", meaning="rows of outputs"),
    *u16("terms"),
    *i8("entry_zero_point", "entry_shift"),
    scratch="""
    with T the largest ceil((E(p) - B(p)) / Q), at least 1, A = ceil((output_w + X) / Q), C = K / terms and
    R = (strip / 2 - 1) * stride_h + kernel_h: 32 * C + group / 2 * (16 * C + 8 * K + 48) + 8 * T * R * P * input_c +
    2 * input_c + 2 * A * Q * group, and 256 more where there is a QUANTIZE
    """,
)
CONV_2D_APART_DSP = sharing(
    CONV_2D_NARROW_DSP.record,
    "dimmer_conv2d_s8_apart_dsp",
    """
    As dimmer_conv2d_s8_narrow_dsp, of weights narrower than inputs: weight_bits is 2, and all that is said of inputs,
    words and fields is that of 4 bits.
    """,
    scratch="as dimmer_conv2d_s8_narrow_dsp",
)
DEPTHWISE_CONV_2D_DSP = kernel(
    "dimmer_depthwise_conv2d_s8_dsp",
    """
    DEPTHWISE_CONV_2D for Arm cores with the DSP extension: four channels in a word. batches and depth_multiplier are
    1, input_c is a multiple of 4, shifts are -22..-1, and no |bias + part of the sum| reaches 2^30.
    """,
    holding("conv", DEPTHWISE_CONV_2D),
    *u32("scratch"),
    scratch="""
    with T = kernel_h * kernel_w, rounded up to a multiple of 9, input_c * (2 * T + 17) + 4 * T
    """,
)
DEPTHWISE_CONV_2D_3X3_DSP = kernel(
    "dimmer_depthwise_conv2d_s8_3x3_dsp",
    """
    DEPTHWISE_CONV_2D with a kernel of 3x3 for Arm cores with the DSP extension: two outputs share words of two columns.
    batches, depth_multiplier and both dilations are 1, input_c is a multiple of 4. A code is
    (v * multiplier >> 32) >> 10, saturated, with v = 256 * sum of products + offset. bias holds offsets; shifts are not
    read. No v reaches 2^31. Inputs of `strip` rows of outputs are widened at a time; where transposed is 1 these rows
    are columns. Along a row the stride is 1 or 2, the padding 0 or 1.
    """,
    holding("conv", DEPTHWISE_CONV_2D),
    *u32("scratch"),
    *u16("strip", meaning="rows of outputs"),
    *u16("transposed"),
    scratch="""
    with W = (output_w + 1) / 2 * stride_w + 1 in whole numbers, 128 + 16 * W * ((strip - 1) * stride_h + 3); where
    transposed is 1 with _h and _w changed
    """,
)
FULLY_CONNECTED_DSP = kernel(
    "dimmer_fully_connected_s8_dsp",
    """
    dimmer_fully_connected_s8_fixed for Arm cores with the DSP extension: a row of the input is widened to int16. Each
    two channels' weights share halfwords, int16[(output_c + 1) / 2,R8(input_c)] little-endian: 256 * (those of the
    first channel) + (those of the second, or 0), inputs 0, 2, 1, 3 of every four in this order, 0 behind the last.
    For either channel, 256 * sum of products stays below 2^31 - 2^24. input_c and weights are multiples of 4.
    """,
    holding("dense", FULLY_CONNECTED),
    *u32("scratch"),
    scratch="2 * R8(input_c)",
)
ADD_DSP = kernel(
    "dimmer_add_s8_dsp",
    """
    ADD for Arm cores with the DSP extension: both inputs in the arena, with the output's shape, dims {1, 1, 1, n};
    shift_output is -22..-1. In place as ADD. Where left_shift is 0, a code is
    multiplier1 * input1 + multiplier2 * input2 + multiplier_output >> 21, saturated and within activation_min and
    activation_max; no such sum reaches 2^31.
    """,
    holding("add", ADD),
    *u32("scratch"),
    scratch="2048, or 0 where left_shift is 0",
)
CONV_2D_ADD_DSP = kernel(
    "dimmer_conv2d_add_s8_dsp",
    """
    CONV_2D whose result is an operand of an ADD and is not needed otherwise, as dimmer_conv2d_s8_dsp and
    dimmer_add_s8_dsp: conv.output is that of add, the convolution's place among the inputs of add is not read.

    In place: add.output may be the other input of add, if that is not the convolution's.
    """,
    *CONV_AND_ADD,
    *u16("operand", meaning="1 or 2: which input of add the convolution is"),
    *u16("group"),
    scratch="2048 more than dimmer_conv2d_s8_dsp, or as many where add.left_shift is 0",
)
CONV_2D_ADD_SLICED_DSP = sharing(
    CONV_2D_ADD_DSP.record,
    "dimmer_conv2d_add_s8_sliced_dsp",
    "The same for dimmer_conv2d_s8_sliced_dsp.",
    scratch="as dimmer_conv2d_add_s8_dsp",
)
_OPERAND: tuple[Part, ...] = u16("operand", meaning="as above")
CONV_2D_ADD_F43_DSP = kernel(
    "dimmer_conv2d_add_s8_f43_dsp",
    "The same for dimmer_conv2d_s8_f43_dsp.",
    *CONV_AND_ADD,
    *_OPERAND,
    *u16("group", "strip", "reserved2"),
    scratch="2048 more than that",
)
CONV_2D_ADD_F43_SLICED_DSP = sharing(
    CONV_2D_ADD_F43_DSP.record,
    "dimmer_conv2d_add_s8_f43_sliced_dsp",
    "The same for dimmer_conv2d_s8_f43_sliced_dsp.",
    scratch="2048 more than that",
)
CONV_2D_ADD_PAIRED_DSP = kernel(
    "dimmer_conv2d_add_s8_paired_dsp",
    "The same for dimmer_conv2d_s8_paired_dsp.",
    *CONV_AND_ADD,
    *_OPERAND,
    *u16("step", "strip", "reserved2"),
    scratch="2048 more than that",
)
CONV_2D_ADD_NARROW_DSP = kernel(
    "dimmer_conv2d_add_s8_narrow_dsp",
    "The same for dimmer_conv2d_s8_narrow_dsp.",
    *CONV_AND_ADD,
    *u32("offsets"),
    *i32("entry_multiplier"),
    *_OPERAND,
    *u16("group", "strip", "terms"),
    *i8("entry_zero_point", "entry_shift"),
    *u16("reserved2"),
    scratch="2048 more than that",
)
CONV_2D_ADD_APART_DSP = sharing(
    CONV_2D_ADD_NARROW_DSP.record,
    "dimmer_conv2d_add_s8_apart_dsp",
    "The same for dimmer_conv2d_s8_apart_dsp.",
    scratch="2048 more than that",
)
BATCH_MATMUL_DSP = kernel(
    "dimmer_batch_matmul_s8_dsp",
    """
    BATCH_MATMUL for Arm cores with the DSP extension, by dot products of two rows and two columns, 32 products in 43
    instructions. A row of operand 1 lies in one piece: step1 is 1, step1_jump 0.
    """,
    holding("product", BATCH_MATMUL),
    *u32("scratch"),
    scratch="4 * columns, and columns * depth more unless step2 is 1 and step2_jump 0",
)

KERNELS = (
    CONV_2D_DSP,
    CONV_2D_SLICED_DSP,
    CONV_2D_PAIRED_DSP,
    CONV_2D_F43_DSP,
    CONV_2D_F43_SLICED_DSP,
    CONV_2D_NARROW_DSP,
    CONV_2D_APART_DSP,
    DEPTHWISE_CONV_2D_DSP,
    DEPTHWISE_CONV_2D_3X3_DSP,
    FULLY_CONNECTED_DSP,
    ADD_DSP,
    CONV_2D_ADD_DSP,
    CONV_2D_ADD_SLICED_DSP,
    CONV_2D_ADD_PAIRED_DSP,
    CONV_2D_ADD_F43_DSP,
    CONV_2D_ADD_F43_SLICED_DSP,
    CONV_2D_ADD_NARROW_DSP,
    CONV_2D_ADD_APART_DSP,
    BATCH_MATMUL_DSP,
)
