# SPDX-License-Identifier: Apache-2.0
"""What the kernels of `words.py` cost on each instruction set, with the latency that `latency.py` calls fitted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sums:
    """Cycles of sums of products: of a kernel's inner loop and what feeds it.

    Attributes:
        mac: of a product.
        plane: around the loop, for each channel and four pixels.
        gather: of an input of a pixel.
        row: of a row of the window of a pixel.
        widen: of a weight.
    """

    mac: float
    plane: float
    gather: float = 0.0
    row: float = 0.0
    widen: float = 0.0


@dataclass(frozen=True, slots=True)
class Costs:
    """Cycles of a core without wait states, fitted from executions of every instruction. Loads and stores of Cortex-M0+
    take 2, and n + 1 for n at a time (DDI 0484, section 3.3); those of Cortex-M3 alike, MLA 2, SMLAL 4 to 7 (DDI 0337,
    table 18-1); MULH of Ibex 2, all else about 1 (its documentation, "Pipeline Details", single-cycle multiplier).

    Attributes:
        feature: the instruction set.
        panel, pairs: these kernels.
        winograd: with one channel at a time, or four where the core can.
        lone: with one channel where it can do four.
        rescale: an output.
        small: an output that is rescaled in words.
        whole: an output of Winograd's that is not.
        staged: an input that is copied first, where rows of windows are no whole words.
        weights: transform of a channel's 3x3 weights.
        tile: transform of a channel's 6x6 inputs.
        back: transform of a channel's 4x4 outputs, without rescaling.
        add: an output of ADD by tables; of parts of the output, and otherwise.
        table: an entry of a table.
    """

    feature: str
    panel: Sums
    pairs: Sums
    winograd: Sums
    lone: Sums
    rescale: float
    small: float
    whole: float
    staged: float
    weights: float
    tile: float
    back: float
    add: tuple[float, float]
    table: float


THUMB = Costs(
    feature="thumb1",
    panel=Sums(3.7, 36, 5, 110, 7),
    pairs=Sums(2.9, 40, 4.5, 60, 6),
    winograd=Sums(3.7, 36),
    lone=Sums(3.7, 36),
    rescale=44,
    small=34,
    whole=44,
    staged=10,
    weights=415,
    tile=820,
    back=560,
    add=(29, 70),
    table=185,
)
THUMB2 = Costs(
    feature="thumb2",
    panel=Sums(3.6, 30, 3.2, 110, 5),
    pairs=Sums(2.35, 40, 3, 50, 4),
    winograd=Sums(3.6, 30),
    lone=Sums(3.6, 30),
    rescale=19,
    small=19,
    whole=23,
    staged=6,
    weights=280,
    tile=460,
    back=640,
    # Cortex-M4, where the others are instructions, has these, too.
    add=(20, 20),
    table=30,
)
RISCV = Costs(
    feature="riscv",
    panel=Sums(3.1, 28, 3.3, 70, 6),
    pairs=Sums(2.6, 28, 3.5, 55, 6),
    winograd=Sums(3.1, 28),
    lone=Sums(4.7, 40),
    rescale=27,
    small=27,
    whole=27,
    staged=9,
    weights=345,
    tile=550,
    back=450,
    add=(16, 32),
    table=40,
)

COSTS = {costs.feature: costs for costs in (THUMB, THUMB2, RISCV)}
"""Instruction set -> its costs."""
