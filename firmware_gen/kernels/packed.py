# SPDX-License-Identifier: Apache-2.0
"""Kernels for cores that multiply word by word whose inputs and weights have 4 or 2 bits: several pixels in a word."""

from __future__ import annotations

from dimmer.firmware_gen.kernels.fused import CONV_AND_ADD
from dimmer.firmware_gen.kernels.portable import CONV_2D
from dimmer.firmware_gen.kernels.record import holding, kernel, u8, u16, u32

CONV_2D_PACKED = kernel(
    "dimmer_conv2d_s8_packed",
    """
    CONV_2D of narrow inputs and weights for cores that multiply word by word (packed.h): weight_bits is 4 or 2,
    input_bits 4 or, where weight_bits is 2, 2; input_zero_point is -128, and no input is above -113 (4 bits) or -125
    (2 bits). dilation_w is 1, pad_left < kernel_w, input_c a multiple of 4. Inputs count from 0 here, and slices of
    weights are not times their unit.

    A tile is 4 outputs of each of R = 2 rows or, where input_bits is 2, 4 rows, which share a word, S bits apart. Where
    planes is 1, S is 32 / R, a tile is a panel and a plane has K = kernel_h * kernel_w * input_c terms. Where it is 6,
    for Winograd's F(4,3), kernel_w is 3, stride_w 1, S = 29 / R, four tiles are a panel and a plane has K = kernel_h *
    input_c terms of 3 products. The inputs of `strip` panels and the weights of `group` channels are expanded at a
    time; all channels are expanded once, several groups for every strip. `terms` terms, a multiple of 4, are added up
    before a sum is read.

    shifts is of a uint8 for each channel, the offset in units of max(1, 2^(S - 8)): it is at least what the negative
    products of `terms` terms add up to, and with what the positive ones add up to it is below 2^S; all chunks
    together stay below 2^18 and, where R is 4, 4^S. `bounds` is an index into params of an int32 for each channel where
    way is 0, low + 2^18 * (high - low) as numbers without sign; else of three, of which the others are zero and
    negative.
    Modulo 2^32, an output's sum with all offsets, where way is not 2 clamped between low and high, is x and the result
    (bias + multiplier * x) >> 24 where way is 0. Where it is 1, negative is added if x < zero; where it is 2 or 3, the
    same is shifted by 20 or 22 and clamped to the activation's range.
    """,
    holding("conv", CONV_2D),
    *u32("bounds"),
    *u16("group", meaning="1..output_c"),
    *u16("strip", meaning=">= 1"),
    *u16("terms"),
    *u16("planes", meaning="1 or 6"),
    *u16("reserved2"),
    *u8("way", meaning="0..3"),
    *u8("input_bits"),
    scratch="""
    with W = kernel_w where planes is 1, else 6, and C = (K + terms - 1) / terms, 256 + W * input_c + 28 * output_c +
    16 * C * planes * group + 4 * K * planes * (4 * strip + group)
    """,
)
CONV_2D_ADD_PACKED = kernel(
    "dimmer_conv2d_add_s8_packed",
    """
    CONV_2D whose result is an operand of an ADD and is not needed otherwise, as dimmer_conv2d_s8_packed and
    dimmer_add_s8_table; fields and in place as in dimmer_conv2d_add_s8_dsp.
    """,
    *CONV_AND_ADD,
    *u32("bounds"),
    *u16("operand", "group", "strip", "terms", "planes"),
    *u8("way", "input_bits"),
    scratch="2048 + 4 * R * strip * output_c more than that where planes is 1, else 2048 + 16 * R * strip * output_c",
)

KERNELS = (CONV_2D_PACKED, CONV_2D_ADD_PACKED)
