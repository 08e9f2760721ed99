# SPDX-License-Identifier: Apache-2.0
"""The floor under direct convolution: the instructions that multiply and add, with nothing to feed them."""

from __future__ import annotations

from dimmer.errors import DimmerError

MACS_PER_INSTRUCTION = {
    "cortex-m0plus": 0.5,  # MULS, ADDS
    "cortex-m3": 1.0,  # MLA
    "cortex-m4": 2.0,  # SMLAD
    "cortex-m7": 2.0,
    "cortex-m33": 2.0,
    "cortex-m55": 16.0,  # VMLADAVA.S8
    "rv32imac": 0.5,  # MUL, ADD
}
"""Core -> 8-bit products that its best multiply-accumulate adds in one instruction."""


def bound(macs: int, core: str) -> int:
    """Instructions of `macs` products done one by one; an algorithm with fewer products may stay below.

    Raises:
        DimmerError: the core is not in the table.

    Example:
        >>> bound(1_000_000, "cortex-m4")
        500000
    """
    if core not in MACS_PER_INSTRUCTION:
        raise DimmerError(f"no bound is known for core {core}: add it to MACS_PER_INSTRUCTION in {__file__}")
    return round(macs / MACS_PER_INSTRUCTION[core])
