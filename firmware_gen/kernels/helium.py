# SPDX-License-Identifier: Apache-2.0
"""Kernels for Arm cores with Helium: Cortex-M55, M85."""

from __future__ import annotations

from dimmer.firmware_gen.kernels.fused import CONV_AND_ADD
from dimmer.firmware_gen.kernels.portable import (
    ADD,
    AVERAGE_POOL_2D,
    BATCH_MATMUL,
    CONV_2D,
    DEPTHWISE_CONV_2D,
    FULLY_CONNECTED,
    MEAN,
)
from dimmer.firmware_gen.kernels.record import holding, i8, i32, kernel, sharing, u16, u32

CONV_2D_MVE = kernel(
    "dimmer_conv2d_s8_mve",
    """
    CONV_2D for Arm cores with Helium: two channels of four pixels at a time, weights of `group` channels in a panel in
    scratch, sliced there where weight_bits is not 8. batches is 1, shifts are -31..0, up to 4 for weight_bits of 4 or
    2. group is even, or output_c. columns is 1 or 0; 1 is for kernels of 3x3, stride_w of 1 or 2, dilations of 1 and
    input_c a multiple of 16, output_w at least 4. D = R16(kernel_h * kernel_w * input_c); where columns is 0 and the
    kernel is not 1x1 without padding, P < 65536 with P = kernel_h * input_c * max((output_w - 1) * stride_w +
    (kernel_w - 1) * dilation_w + 1, pad_left + input_w), its last factor rounded up to a multiple of dilation_w.
    output_c < 21845.
    """,
    holding("conv", CONV_2D),
    *u16("group", meaning="output channels in one pass"),
    *u16("columns", meaning="whether windows share what they read of a row"),
    scratch="""
    (group + 1) / 2 * (2 * D + 64), and behind it, for columns, R16(12 * S) + 64 * S * max((output_w - 1) * stride_w +
    3, pad_left + input_w) with S = input_c / 16; otherwise, for a kernel of 1x1 without padding, 4 * D, or 0 where
    input_c is a multiple of 16; otherwise 4 * D + R16(2 * input_w * input_c) + R16(N * P) + 16 with N = 1 where
    output_w is a multiple of 4, otherwise 2 + 2 / output_w
    """,
)
CONV_2D_ENTRY_MVE = kernel(
    "dimmer_conv2d_s8_entry_mve",
    """
    dimmer_conv2d_s8_mve of inputs that go through a QUANTIZE first: from entry_zero_point to input_zero_point,
    entry_multiplier and entry_shift, which is -31..0, as in dimmer_requantize_s8.
    """,
    holding("conv", CONV_2D),
    *i32("entry_multiplier"),
    *u16("group", "columns"),
    *i8("entry_zero_point", "entry_shift"),
    *u16("reserved2"),
    scratch="256 more, and a kernel of 1x1 without padding takes as much as any other",
)
DEPTHWISE_CONV_2D_MVE = kernel(
    "dimmer_depthwise_conv2d_s8_mve",
    """
    DEPTHWISE_CONV_2D for Arm cores with Helium: a window is one vector. batches and depth_multiplier are 1, kernel_h
    and kernel_w at most 4, shifts -31..-1. Windows of a turn are neighbours in a row of the image, or in a column
    where `down` is 1; `group` channels are laid out in scratch at a time, a multiple of 16, or input_c.
    3 * A + B < 65536, A bytes from one of these neighbours to the next, B from a row of them to the next.
    """,
    holding("conv", DEPTHWISE_CONV_2D),
    *u32("scratch"),
    *u16("group", "down"),
    scratch="""
    with G, group rounded up to a multiple of 16, 16 + G * (24 + V + 4 * max((max(outputs, 4) - 1) * stride + R,
    pad + inputs)), along these neighbours, where V = 40 and R = 3 for strides and dilations of 1 and kernel_h and
    kernel_w of at most 3, otherwise V = 16 and R = 3 * dilation + 1
    """,
)
FULLY_CONNECTED_MVE = sharing(
    FULLY_CONNECTED.record, "dimmer_fully_connected_s8_mve", "FULLY_CONNECTED for Arm cores with Helium."
)
ADD_MVE = kernel(
    "dimmer_add_s8_mve",
    """
    ADD for Arm cores with Helium: both inputs in the arena, with the output's shape, dims {1, 1, 1, n}; one of them has
    a multiplier of 2^30 and a shift of 0, as in TFLite the one with the larger scale always has. left_shift is 20,
    shift_output is -31..-1. In place as ADD.
    """,
    holding("add", ADD),
    *u32("scratch"),
    scratch="1024",
)
CONV_2D_ADD_MVE = kernel(
    "dimmer_conv2d_add_s8_mve",
    """
    CONV_2D whose result is an operand of an ADD and is not needed otherwise, as dimmer_conv2d_s8_mve and
    dimmer_add_s8_mve; fields and in place as in dimmer_conv2d_add_s8_dsp.
    """,
    *CONV_AND_ADD,
    *u16("operand", "group", "columns", "reserved2"),
    scratch="1024 + R16(16 * group) more than dimmer_conv2d_s8_mve",
)
CONV_2D_ADD_ENTRY_MVE = kernel(
    "dimmer_conv2d_add_s8_entry_mve",
    "The same with a QUANTIZE before it, as dimmer_conv2d_s8_entry_mve.",
    *CONV_AND_ADD,
    *i32("entry_multiplier"),
    *u16("operand", "group", "columns"),
    *i8("entry_zero_point", "entry_shift"),
    scratch="1024 + R16(16 * group) more than that",
)
MEAN_MVE = sharing(MEAN.record, "dimmer_mean_s8_mve", "MEAN for Arm cores with Helium: reduce2 is 1.")
AVERAGE_POOL_2D_MVE = sharing(
    AVERAGE_POOL_2D.record,
    "dimmer_average_pool_2d_s8_mve",
    "AVERAGE_POOL_2D for Arm cores with Helium: window_h * window_w <= 256.",
)
BATCH_MATMUL_MVE = kernel(
    "dimmer_batch_matmul_s8_mve",
    "BATCH_MATMUL for Arm cores with Helium, as dimmer_batch_matmul_s8_dsp, 64 products in 9 instructions.",
    holding("product", BATCH_MATMUL),
    *u32("scratch"),
    scratch="as there",
)

KERNELS = (
    CONV_2D_MVE,
    CONV_2D_ENTRY_MVE,
    DEPTHWISE_CONV_2D_MVE,
    FULLY_CONNECTED_MVE,
    ADD_MVE,
    CONV_2D_ADD_MVE,
    CONV_2D_ADD_ENTRY_MVE,
    MEAN_MVE,
    AVERAGE_POOL_2D_MVE,
    BATCH_MATMUL_MVE,
)
