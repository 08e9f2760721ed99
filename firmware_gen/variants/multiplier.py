# SPDX-License-Identifier: Apache-2.0
"""How long a core's multiplications take, and how many of them a variant has: cores with the same instructions differ
in little else that orders kernels.

The costs of variants were fitted with one multiplier for each instruction set; `Multiplier()` is that one. With
another, each multiplication of a step takes so many cycles more, or fewer.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

KEYS = {
    "multiply": frozenset({"thumb", "riscv"}),
    "multiply_high": frozenset({"riscv"}),
    "multiply_add_long": frozenset({"thumb2"}),
}
"""Attribute of `Multiplier` -> the instruction sets whose kernels take what it says."""


@dataclass(frozen=True, slots=True)
class Multiplier:
    """Cycles of a core's multiplications.

    Attributes:
        multiply: cycles of a product's lower word, MUL: 1 or 32 on Cortex-M0+, by the chip's maker; 1 or 3 on Ibex.
        multiply_high: cycles of a product's upper word, MULH of RISC-V.
        multiply_add_long: cycles of SMLAL and UMLAL on Cortex-M3, 4 to 7, by their operands; 1 on other cores.
    """

    multiply: int = 1
    multiply_high: int = 2
    multiply_add_long: int = 6


FITTED = Multiplier()
"""What the costs of variants hold: MUL of one cycle; MULH of Ibex with a single-cycle multiplier, 2; SMLAL 6."""


def multiplier_keys(features: Set[str]) -> tuple[str, ...]:
    """The attributes of `Multiplier` that kernels of a core depend on; none where all of them take one cycle.

    Args:
        features: of the core, as `cores.features_of` tells them.
    """
    if "dsp" in features:
        return ()
    own = features - {"thumb"} if "thumb2" in features else features
    return tuple(key for key, sets in KEYS.items() if sets & own)


@dataclass(frozen=True, slots=True)
class Products:
    """How many multiplications a step takes.

    Attributes:
        words: MUL.
        high: MULH.
        add_long: SMLAL and UMLAL.
    """

    words: float = 0.0
    high: float = 0.0
    add_long: float = 0.0

    def __add__(self, other: Products) -> Products:
        return Products(self.words + other.words, self.high + other.high, self.add_long + other.add_long)

    def times(self, count: float) -> Products:
        """Of so many."""
        return Products(count * self.words, count * self.high, count * self.add_long)

    def beyond(self, multiplier: Multiplier) -> float:
        """Cycles that they take more than with the multiplier that costs were fitted with."""
        return (
            self.words * (multiplier.multiply - FITTED.multiply)
            + self.high * (multiplier.multiply_high - FITTED.multiply_high)
            + self.add_long * (multiplier.multiply_add_long - FITTED.multiply_add_long)
        )


RESCALED = {
    "thumb": Products(words=4),
    "thumb2": Products(add_long=1),
    "riscv": Products(high=1),
}
"""Instruction set -> what rescaling a sum takes: the upper word of a product, of halves where there is none."""
SMALL = Products(words=3)
"""A sum that is rescaled in words, `small.h`."""
REQUANTISED = {
    "thumb": Products(words=4),
    "thumb2": Products(add_long=1),
    "riscv": Products(words=1, high=1),
}
"""TFLite's own rescaling, whose rounding takes the lower word as well."""
LONG = {
    "thumb": Products(words=6),
    "thumb2": Products(add_long=1),
    "riscv": Products(words=1, high=1),
}
"""A product of 64 bits and what it is rounded by; libgcc has it on Armv6-M."""
