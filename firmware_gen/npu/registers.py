# SPDX-License-Identifier: Apache-2.0
"""Names of the command stream's codes of Ethos-U55 and U65, which have the same.

A word's bits 0 to 9 are its code, bits 14 and 15 the kind: 0 has a parameter of 16 bits alone, 1 a word of 32 behind
it. Codes below 0x100 of the first kind start something; all others set a register, which keeps its value.
"""

from __future__ import annotations

from collections.abc import Mapping


def _fields(prefix: str, first: int, names: str) -> dict[int, str]:
    return {first + at: prefix + name for at, name in enumerate(names.split()) if name != "-"}


OPERATIONS: Mapping[int, str] = {
    0: "STOP",
    1: "IRQ",
    2: "CONV",
    3: "DEPTHWISE",
    5: "POOL",
    6: "ELEMENTWISE",
    16: "DMA_START",
    17: "DMA_WAIT",
    18: "KERNEL_WAIT",
    19: "PMU_MASK",
}
"""Code -> operation."""

SHORT: Mapping[int, str] = {
    **_fields("IFM_", 0x100, "PAD_TOP PAD_LEFT PAD_RIGHT PAD_BOTTOM DEPTH_M1 PRECISION - UPSCALE - ZERO_POINT"),
    **_fields("IFM_", 0x10A, "WIDTH0_M1 HEIGHT0_M1 HEIGHT1_M1 IB_END - REGION"),
    **_fields("OFM_", 0x111, "WIDTH_M1 HEIGHT_M1 DEPTH_M1 PRECISION BLK_WIDTH_M1 BLK_HEIGHT_M1 BLK_DEPTH_M1"),
    **_fields("OFM_", 0x118, "ZERO_POINT - WIDTH0_M1 HEIGHT0_M1 HEIGHT1_M1 - - REGION"),
    **_fields("", 0x120, "KERNEL_WIDTH_M1 KERNEL_HEIGHT_M1 KERNEL_STRIDE PARALLEL_MODE ACC_FORMAT ACTIVATION"),
    **_fields("", 0x126, "ACTIVATION_MIN ACTIVATION_MAX WEIGHT_REGION SCALE_REGION - - - AB_START - BLOCKDEP"),
    **_fields("DMA0_", 0x130, "SRC_REGION DST_REGION SIZE0 SIZE1"),
    **_fields("IFM2_", 0x180, "BROADCAST SCALAR - - - PRECISION - - - ZERO_POINT"),
    **_fields("IFM2_", 0x18A, "WIDTH0_M1 HEIGHT0_M1 HEIGHT1_M1 IB_START - REGION"),
}
"""Code of the first kind -> register."""

LONG: Mapping[int, str] = {
    **_fields("IFM_", 0x00, "BASE0 BASE1 BASE2 BASE3 STRIDE_X STRIDE_Y STRIDE_C"),
    **_fields("OFM_", 0x10, "BASE0 BASE1 BASE2 BASE3 STRIDE_X STRIDE_Y STRIDE_C"),
    **_fields("", 0x20, "WEIGHT_BASE WEIGHT_LENGTH SCALE_BASE SCALE_LENGTH OFM_SCALE OPA_SCALE OPB_SCALE"),
    **_fields("DMA0_", 0x30, "SRC DST LEN SKIP0 SKIP1"),
    **_fields("IFM2_", 0x80, "BASE0 BASE1 BASE2 BASE3 STRIDE_X STRIDE_Y STRIDE_C"),
    **_fields("", 0x90, "WEIGHT1_BASE WEIGHT1_LENGTH SCALE1_BASE SCALE1_LENGTH"),
}
"""Code of the second kind -> register."""

CODES: Mapping[str, int] = {
    **{name: code for code, name in OPERATIONS.items()},
    **{name: code for code, name in SHORT.items()},
    **{name: code for code, name in LONG.items()},
}
"""Name -> code; no name stands in two of the tables."""
