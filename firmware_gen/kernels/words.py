# SPDX-License-Identifier: Apache-2.0
"""Kernels for cores that multiply word by word: Cortex-M0+, M3 and RISC-V without vectors."""

from __future__ import annotations

from dimmer.firmware_gen.kernels.fused import CONV_AND_ADD
from dimmer.firmware_gen.kernels.packed import CONV_2D_ADD_PACKED, CONV_2D_PACKED
from dimmer.firmware_gen.kernels.portable import ADD, CONV_2D, FULLY_CONNECTED
from dimmer.firmware_gen.kernels.record import holding, kernel, sharing, u16, u32

CONV_2D_PANEL = kernel(
    "dimmer_conv2d_s8_panel",
    """
    CONV_2D for cores that multiply word by word: operands are widened to int32 in scratch, the weights of `group`
    channels at a time, the input of four pixels. Each shift is -22..-1, and the absolute value of a sum, bias
    included, is below 2^30.
    """,
    holding("conv", CONV_2D),
    *u16("group", meaning="1..output_c"),
    *u16("reserved2"),
    scratch="16 * (output_c + group) + 4 * R4(kernel_h * kernel_w * input_c) * (4 + group)",
)
CONV_2D_PAIRS = sharing(
    CONV_2D_PANEL.record,
    "dimmer_conv2d_s8_pairs",
    """
    The same where words are multiplied to 64 bits: the inputs of two pixels share a word. No absolute value of a sum
    without bias reaches 2^22.
    """,
    scratch="16 * (output_c + group) + 4 * R4(kernel_h * kernel_w * input_c) * (2 + group)",
)
CONV_2D_WINOGRAD = kernel(
    "dimmer_conv2d_s8_winograd",
    """
    CONV_2D by Winograd's F(4x4,3x3), exact in integers: kernel 3x3, strides and dilations 1, input_c a multiple of 4.
    Tiles of 4x4 outputs are computed four at a time; the inputs of 4 * strip of them and the weights of `group`
    channels are transformed at a time. A single group is transformed once, several are for every strip. Each shift is
    -22..-1; the absolute value of a sum is below 2^25 without bias, below 2^30 with it.
    """,
    holding("conv", CONV_2D),
    *u16("group", meaning="1..output_c"),
    *u16("strip", meaning=">= 1"),
    scratch="16 * output_c + max(576, 36 * input_c) + 144 * input_c * (4 * strip + group)",
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
    """,
    holding("add", ADD),
    *u32("scratch"),
    scratch="2048",
)
CONV_2D_ADD_WINOGRAD = kernel(
    "dimmer_conv2d_add_s8_winograd",
    """
    CONV_2D whose result is an operand of an ADD and is not needed otherwise, as dimmer_conv2d_s8_winograd and
    dimmer_add_s8_table; fields and in place as in dimmer_conv2d_add_s8_dsp.
    """,
    *CONV_AND_ADD,
    *u16("operand", "group", "strip", "reserved2"),
    scratch="2048 + 64 * strip * output_c more than dimmer_conv2d_s8_winograd",
)

KERNELS = (
    CONV_2D_PANEL,
    CONV_2D_PAIRS,
    CONV_2D_WINOGRAD,
    FULLY_CONNECTED_WORDS,
    ADD_TABLE,
    CONV_2D_ADD_WINOGRAD,
    CONV_2D_PACKED,
    CONV_2D_ADD_PACKED,
)
