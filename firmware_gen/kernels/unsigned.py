# SPDX-License-Identifier: Apache-2.0
"""Kernels in portable C99 for what files of uint8 compute otherwise."""

from __future__ import annotations

from dimmer.firmware_gen.kernels.portable import AVERAGE_POOL_2D, CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED
from dimmer.firmware_gen.kernels.record import holding, i32, kernel, sharing

_TEXT = """
    {}, of weights from each of which weights_zero_point, -128..127, is taken off. bias is as the file has it, nothing
    folded in. No sum leaves 32 bits.
    """
CONV_2D_OFFSET = kernel(
    "dimmer_conv2d_s8_offset", _TEXT.format("CONV_2D"), holding("conv", CONV_2D), *i32("weights_zero_point")
)
DEPTHWISE_CONV_2D_OFFSET = kernel(
    "dimmer_depthwise_conv2d_s8_offset",
    _TEXT.format("DEPTHWISE_CONV_2D"),
    holding("conv", DEPTHWISE_CONV_2D),
    *i32("weights_zero_point"),
)
FULLY_CONNECTED_OFFSET = kernel(
    "dimmer_fully_connected_s8_offset",
    _TEXT.format("FULLY_CONNECTED"),
    holding("dense", FULLY_CONNECTED),
    *i32("input_zero_point", "weights_zero_point"),
)
AVERAGE_POOL_2D_UP = sharing(
    AVERAGE_POOL_2D.record, "dimmer_average_pool_2d_s8_up", "AVERAGE_POOL_2D that rounds halves up."
)

KERNELS = (CONV_2D_OFFSET, DEPTHWISE_CONV_2D_OFFSET, FULLY_CONNECTED_OFFSET, AVERAGE_POOL_2D_UP)
