# SPDX-License-Identifier: Apache-2.0
"""Kernels in portable C99 of decisions: comparisons, choices, the place of an extreme, what an index says, and changes
of type.
"""

from __future__ import annotations

from dimmer.firmware_gen.kernels.record import i8, i32, kernel, u8, u32

COMPARE = kernel(
    "dimmer_compare_s8",
    """
    EQUAL, LESS and their kin: output bool[dims]. Each input, its zero point taken off, times 2^8 is rescaled; then the
    output is `less`, `equal` or `greater`, each 0 or 1, by what the first is beside the second. The shifts are -31..0;
    dimensions, broadcasting and blobs as in ADD.
    """,
    *u32("input1", "input2", "output"),
    *u32("dims", count=4),
    *i32("multiplier1", "multiplier2"),
    *i8("shift1", "shift2", "zero_point1", "zero_point2"),
    *u8("broadcast1", "broadcast2", "input1_blob", "input2_blob", "less", "equal", "greater"),
    *u8("reserved", count=1),
)
SELECT = kernel(
    "dimmer_select_s8",
    """
    SELECT and SELECT_V2 of bytes: input1 where the condition, bool in the arena, is not 0, else input2. Dimensions,
    broadcasting and blobs as in ADD.
    """,
    *u32("condition", "input1", "input2", "output"),
    *u32("dims", count=4),
    *u8("broadcast", "broadcast1", "broadcast2", "input1_blob", "input2_blob"),
    *u8("reserved", count=3),
)
ARG_EXTREME = kernel(
    "dimmer_arg_extreme_s8",
    """
    ARG_MAX where `largest` is 1, else ARG_MIN, of the middle dimension of int8[outer,depth,inner]: the index of the
    first of equals as int32[outer,inner], or as int64 where `wide` is 1.
    """,
    *u32("input", "output", "outer", "depth", "inner"),
    *u8("largest", "wide"),
    *u8("reserved", count=2),
)
CAST = kernel(
    "dimmer_cast_s8",
    """
    CAST of `elements` numbers. source_type and output_type are any but DIMMER_FLOAT32. Of int64 all are within int32.
    What does not fit loses its upper bits; bool is whether it is not 0.
    """,
    *u32("input", "output", "elements"),
    *u8("source_type", "output_type"),
    *u8("reserved", count=2),
)
CAST_F32 = kernel(
    "dimmer_cast_f32",
    """
    CAST of `elements` numbers to float32[elements]. source_type is any but DIMMER_FLOAT32. Of int64 all are within
    int32.
    """,
    *u32("input", "output", "elements"),
    *u8("source_type"),
    *u8("reserved", count=3),
)

GATHER = kernel(
    "dimmer_gather_s8",
    """
    GATHER by computed indexes: output is `count` runs of `run` bytes for each of `outer`, of input
    [outer,depth,run]; indexes int32[count] in the arena. TFLite stops at an index outside 0..depth-1; here the nearest
    one is taken. Blobs as in ADD.
    """,
    *u32("input", "indexes", "output", "outer", "depth", "run", "count"),
    *u8("input_blob"),
    *u8("reserved", count=3),
)

KERNELS = (COMPARE, SELECT, ARG_EXTREME, CAST, CAST_F32, GATHER)
