# SPDX-License-Identifier: Apache-2.0
"""Two steps as one: what a variant may run, and what no portable kernel does.

A step has one of these kernels only until a variant takes it.
"""

from __future__ import annotations

from dimmer.firmware_gen.kernels.portable import ADD, CONV_2D
from dimmer.firmware_gen.kernels.record import Part, holding, i8, i32, kernel, u16

CONV_AND_ADD: tuple[Part, ...] = (holding("conv", CONV_2D), holding("add", ADD, "add_"))
"""How every record of a convolution and the addition of its result to another tensor begins."""

CONV_2D_ADD = kernel(
    "dimmer_conv2d_add_s8",
    "CONV_2D and the ADD that alone reads its result.",
    *CONV_AND_ADD,
    *u16("operand", "reserved2"),
)
_ENTRY = (*i32("entry_multiplier"), *i8("entry_zero_point", "entry_shift"))
ENTRY_CONV_2D = kernel(
    "dimmer_entry_conv2d_s8",
    "QUANTIZE and the CONV_2D that reads its result.",
    holding("conv", CONV_2D),
    *_ENTRY,
    *u16("reserved3"),
)
ENTRY_CONV_2D_ADD = kernel(
    "dimmer_entry_conv2d_add_s8",
    "QUANTIZE, the CONV_2D that reads its result, and the ADD that alone reads that one's.",
    *CONV_AND_ADD,
    *_ENTRY,
    *u16("operand", "reserved3"),
)
