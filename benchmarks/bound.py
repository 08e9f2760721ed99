# SPDX-License-Identifier: Apache-2.0
"""The floor under direct convolution: the instructions that multiply and add, with nothing to feed them."""

from __future__ import annotations

from dimmer.errors import DimmerError
from dimmer.firmware_gen.variants import features_of

FEATURES_FILE = "firmware_gen/variants/cores.py"

MACS_PER_INSTRUCTION = {
    "mve": 16.0,  # VMLADAVA.S8
    "dsp": 2.0,  # SMLAD
    "thumb2": 1.0,  # MLA
    "words": 0.5,  # MULS, ADDS; MUL, ADD
}
"""Feature -> 8-bit products that a core's best multiply-accumulate adds in one instruction; the first one counts."""


def bound(macs: int, core: str) -> int:
    """Instructions of `macs` products done one by one; an algorithm with fewer products may stay below.

    Raises:
        DimmerError: nothing is known of the core.

    Example:
        >>> bound(1_000_000, "cortex-m4")
        500000
    """
    features = features_of(core)
    for feature, macs_per_instruction in MACS_PER_INSTRUCTION.items():
        if feature in features:
            return round(macs / macs_per_instruction)
    raise DimmerError(f"no bound is known for core {core}: add what it has to FEATURES in {FEATURES_FILE}")
