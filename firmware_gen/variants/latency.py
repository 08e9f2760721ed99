# SPDX-License-Identifier: Apache-2.0
"""How long a core takes for multiplications, loads and stores: cores with the same instructions differ in little else
that orders kernels.

The costs of variants were fitted on one core for each instruction set, whose latency is `FITTED`. On another each
multiplication of a step takes so many cycles more, or fewer; and of all the rest that part which loads and stores are.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

KEYS = {
    "multiply": frozenset({"thumb1", "riscv"}),
    "multiply_high": frozenset({"riscv"}),
    "multiply_add_long": frozenset({"thumb2"}),
    "load_store": frozenset({"riscv"}),
}
"""Attribute of `Latency` -> the instruction sets whose kernels take what it says."""
LOADS_AND_STORES = 0.18
"""Of a kernel's cost: measured on Ibex, whose small configuration takes a cycle more for each than the larger one."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Cycles that a core takes where nothing waits.

    Attributes:
        multiply: of a product's lower word, MUL: 1 or 32 on Cortex-M0+, by the chip's maker; 1 or 3 on Ibex.
        multiply_high: of a product's upper word, MULH of RISC-V.
        multiply_add_long: of SMLAL and UMLAL on Cortex-M3, 4 to 7, by their operands; 1 on other cores.
        load_store: of a load or a store of RISC-V.
    """

    multiply: int = 1
    multiply_high: int = 2
    multiply_add_long: int = 6
    load_store: int = 1


FITTED = Latency()
"""What the costs of variants hold: MUL of one cycle; MULH of Ibex with a single-cycle multiplier, 2; SMLAL 6."""


def latency_keys(features: Set[str]) -> tuple[str, ...]:
    """The attributes of `Latency` that kernels of a core depend on; none where all that matters takes one cycle.

    Args:
        features: of the core, as `cores.features_of` tells them.
    """
    if "dsp" in features:
        return ()
    return tuple(key for key, sets in KEYS.items() if sets & features)


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

    def cost(self, fitted: float, latency: Latency) -> float:
        """Cycles of a step that has these, on a core.

        Args:
            fitted: its cycles where the latency is `FITTED`.
        """
        return (
            fitted * (1 + LOADS_AND_STORES * (latency.load_store - FITTED.load_store))
            + self.words * (latency.multiply - FITTED.multiply)
            + self.high * (latency.multiply_high - FITTED.multiply_high)
            + self.add_long * (latency.multiply_add_long - FITTED.multiply_add_long)
        )


RESCALED = {
    "thumb1": Products(words=4),
    "thumb2": Products(add_long=1),
    "riscv": Products(high=1),
}
"""Instruction set -> what rescaling a sum takes: the upper word of a product, of halves where there is none."""
SMALL = Products(words=3)
"""A sum that is rescaled in words, `small.h`."""
REQUANTISED = {
    "thumb1": Products(words=4),
    "thumb2": Products(add_long=1),
    "riscv": Products(words=1, high=1),
}
"""TFLite's own rescaling, whose rounding takes the lower word as well."""
LONG = {
    "thumb1": Products(words=6),
    "thumb2": Products(add_long=1),
    "riscv": Products(words=1, high=1),
}
"""A product of 64 bits and what it is rounded by; libgcc has it on Armv6-M."""
