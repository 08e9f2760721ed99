# SPDX-License-Identifier: Apache-2.0
"""Clock cycles beside the instructions of modes and layers: where they come from, and how people are told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

CyclesSource = Literal["rtl", "model", "vela"]
"""Where clock cycles come from: measured on the core's RTL, or modelled from counted instructions (docs/cycles.md), or
Vela's estimate of an NPU's (docs/npu.md)."""

NPU_ESTIMATE = "cycles of the NPU: Vela's estimate, measured by nobody (docs/npu.md)"

MODEL_ERROR = "0 to 9 % too few for parts without wait states, 1 to 22 % for one with five"
"""Of modelled cycles; docs/cycles.md has the comparisons."""


def check_cycles(what: str, cycles: int | None, source: CyclesSource | None) -> None:
    """Cycles come with their source, and nothing takes none.

    Raises:
        ValueError: one of the two is missing, or there are none.
    """
    if (cycles is None) != (source is None):
        raise ValueError(f"{what} has cycles {cycles} from {source}: one of the two is missing")
    if cycles is not None and cycles < 1:
        raise ValueError(f"{what} takes {cycles} cycles, which cannot be")


class Timed(Protocol):
    """What has cycles: a mode, a layer."""

    @property
    def cycles(self) -> int | None:
        """Clock cycles."""

    @property
    def cycles_source(self) -> CyclesSource | None:
        """Where they come from."""


@dataclass(frozen=True)
class Cycles:
    """Cycles by themselves, with where they come from."""

    cycles: int | None
    cycles_source: CyclesSource | None


def cycles_text(timed: Timed) -> str:
    """Cycles as tables show them: ~ stands before those of a model."""
    return "-" if timed.cycles is None else f"{'' if timed.cycles_source == 'rtl' else '~'}{timed.cycles:,}"


def cycles_lines(timed: Iterable[Timed], guess: str = "") -> list[str]:
    """What a table with cycles has to say of them below.

    Args:
        guess: why the model is one; empty where the core's manual gives the cycles.
    """
    sources = {one.cycles_source for one in timed}
    lines = ["cycles: measured on the core's RTL"] if "rtl" in sources else []
    if "model" in sources:
        lines.append(f"~ modelled cycles: {MODEL_ERROR} (docs/cycles.md)")
        lines += [guess] if guess else []
    if "vela" in sources:
        lines.append(f"~ {NPU_ESTIMATE}")
    return lines
