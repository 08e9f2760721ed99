# SPDX-License-Identifier: Apache-2.0
"""Kernels for cores that multiply word by word: Cortex-M0+, M3 and RISC-V without vectors."""

from __future__ import annotations

from dimmer.firmware_gen.kernels.fused import CONV_AND_ADD
from dimmer.firmware_gen.kernels.packed import CONV_2D_ADD_PACKED, CONV_2D_PACKED
from dimmer.firmware_gen.kernels.portable import ADD, CONV_2D, DEPTHWISE_CONV_2D_3X3, FULLY_CONNECTED
from dimmer.firmware_gen.kernels.record import holding, kernel, sharing, u16, u32

CONV_2D_PANEL = kernel(
    "dimmer_conv2d_s8_panel",
    """
    CONV_2D for cores that multiply word by word: operands are widened to int32 in scratch, the weights of `group`
    channels at a time, the input of four pixels. weight_bits is 8, each shift -22..-1, and the absolute value of a sum,
    bias included, is below 2^29.
    """,
    holding("conv", CONV_2D),
    *u16("group", meaning="1..output_c"),
    *u16("reserved2"),
    scratch="16 * (output_c + group) + 4 * R4(kernel_h * kernel_w * input_c) * (4 + group)",
)
CONV_2D_PANEL_SLICED = sharing(
    CONV_2D_PANEL.record,
    "dimmer_conv2d_s8_panel_sliced",
    "As dimmer_conv2d_s8_panel, with slices of the weights: weight_bits is 4 or 2.",
    scratch="as dimmer_conv2d_s8_panel",
)
CONV_2D_PAIRS = kernel(
    "dimmer_conv2d_s8_pairs",
    """
    The same with two terms of a sum in a word (pairs.h): half the multiplications and the scratch. No weight is -128.
    """,
    holding("conv", CONV_2D),
    *u16("group", meaning="1..output_c"),
    *u16("small", meaning="1: each shift is -11..-1, and the absolute value of a sum below 2^20; or 0"),
    scratch="""
    24 * output_c + 16 * group + 2 * R8(kernel_h * kernel_w * input_c) * (4 + group) +
    R4(kernel_h * kernel_w * input_c)
    """,
)
CONV_2D_WINOGRAD = kernel(
    "dimmer_conv2d_s8_winograd",
    """
    CONV_2D by Winograd's F(4x4,3x3), exact in integers: kernel 3x3, strides and dilations 1. Tiles of 4x4 outputs are
    computed four at a time; the inputs of 4 * strip of them and the weights of `group` channels are transformed at a
    time. A single group is transformed once, several are for every strip. Each shift is -22..-1; the absolute value of
    a sum is below 2^25 without bias, below 2^29 with it.
    """,
    holding("conv", CONV_2D),
    *u16("group", meaning="1..output_c"),
    *u16("strip", meaning=">= 1"),
    *u16("small", meaning="1: shifts -11..-1, multipliers 0 or >= 2^30, activation range -128..127; or 0"),
    *u16("reserved2"),
    scratch="""
    24 * output_c + the larger of max(576, 36 * R4(input_c)) + 144 * R4(input_c) * (4 * strip + group), but on RISC-V,
    and max(2304, 36 * R4(input_c)) + 72 * R4(input_c) * (4 * strip + group)
    """,
)
CONV_2D_WINOGRAD_SLICED = sharing(
    CONV_2D_WINOGRAD.record,
    "dimmer_conv2d_s8_winograd_sliced",
    "As dimmer_conv2d_s8_winograd, with slices of the weights: weight_bits is 4 or 2.",
    scratch="as dimmer_conv2d_s8_winograd",
)
DEPTHWISE_CONV_2D_WORDS = sharing(
    DEPTHWISE_CONV_2D_3X3.record,
    "dimmer_depthwise_conv2d_s8_words",
    """
    dimmer_depthwise_conv2d_s8_3x3 where each shift is -11..-1, the absolute value of a sum, bias included, is below
    2^20, and the activation range is -128..127.
    """,
    scratch="input_c * (60 + 3 * max((output_w - 1) * stride_w + 3, pad_left + input_w))",
)
FULLY_CONNECTED_WORDS = kernel(
    "dimmer_fully_connected_s8_words",
    """
    dimmer_fully_connected_s8_fixed for cores that multiply word by word: a row of the input is widened to int32.
    """,
    holding("dense", FULLY_CONNECTED),
    *u32("scratch"),
    scratch="4 * input_c",
)
ADD_TABLE = kernel(
    "dimmer_add_s8_table",
    """
    ADD of two inputs in the arena that have the output's shape, by a table of what each of an input's 256 values
    adds. shift_output is -22..-1. In place: output may be either input.

    places is 0, or the tables hold parts of the output in units of 2^-places, where the generator has proven for every
    two values that their sum, rounded down, is what ADD gives.
    """,
    holding("add", ADD),
    *u32("scratch", "places"),
    scratch="2048",
)
SUM_TABLE = kernel(
    "dimmer_sum_s8_table",
    """
    ADD, or where subtract is 1 SUB, by the tables of dimmer_add_s8_table; dimensions, broadcasting, blobs and in place
    as in dimmer_add_s8. shift_output is -22..-1; places as of dimmer_add_s8_table, of the second table's negatives
    where that is subtracted.
    """,
    holding("add", ADD),
    *u32("scratch"),
    *u16("places", "subtract"),
    scratch="2048",
)
CONV_2D_ADD_WINOGRAD = kernel(
    "dimmer_conv2d_add_s8_winograd",
    """
    CONV_2D whose result is an operand of an ADD and is not needed otherwise, as dimmer_conv2d_s8_winograd and
    dimmer_add_s8_table; fields and in place as in dimmer_conv2d_add_s8_dsp.
    """,
    *CONV_AND_ADD,
    *u16("operand", "group", "strip", "places", "small", "reserved2"),
    scratch="2048 + 64 * strip * output_c more than dimmer_conv2d_s8_winograd",
)
CONV_2D_ADD_WINOGRAD_SLICED = sharing(
    CONV_2D_ADD_WINOGRAD.record,
    "dimmer_conv2d_add_s8_winograd_sliced",
    "The same for dimmer_conv2d_s8_winograd_sliced.",
    scratch="as dimmer_conv2d_add_s8_winograd",
)

KERNELS = (
    CONV_2D_PANEL,
    CONV_2D_PANEL_SLICED,
    CONV_2D_PAIRS,
    CONV_2D_WINOGRAD,
    CONV_2D_WINOGRAD_SLICED,
    DEPTHWISE_CONV_2D_WORDS,
    FULLY_CONNECTED_WORDS,
    ADD_TABLE,
    SUM_TABLE,
    CONV_2D_ADD_WINOGRAD,
    CONV_2D_ADD_WINOGRAD_SLICED,
    CONV_2D_PACKED,
    CONV_2D_ADD_PACKED,
)
