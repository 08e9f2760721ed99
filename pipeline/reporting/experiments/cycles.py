# SPDX-License-Identifier: Apache-2.0
"""Cycles of any mode, from the steps of those that a build has measured or modelled.

A block costs the same in every mode that runs it at a width: the same kernels on the same shapes. So modes that were
never built have the sum of their blocks, and what is common to all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.pipeline.core.documents import parse_document
from dimmer.pipeline.core.stage import Json
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.modes.width import width_name


@dataclass(frozen=True)
class _Timed:
    """A mode of report.json."""

    name: str
    cycles: int | None = None
    instructions: int | None = None


@dataclass(frozen=True)
class _Step:
    """A step of report.json."""

    mode: str
    layer: str
    cycles: int | None = None


@dataclass(frozen=True)
class _Report:
    """What is read of report.json."""

    model: str
    target: str
    modes: tuple[_Timed, ...]
    steps: tuple[_Step, ...] = ()
    gates: Mapping[str, Json] | None = field(default=None)


@dataclass(frozen=True)
class CycleCosts:
    """What blocks cost on a target.

    Attributes:
        target: its name.
        measured: published mode -> cycles of an inference.
        fixed: cycles of everything but blocks.
        blocks: (stage, block, bits) -> cycles.
        gates: cycles of the gates in an inference: their instructions, at the cycles per instruction of the dearest
            mode; 0 without gates.
    """

    target: str
    measured: Mapping[str, int]
    fixed: float
    blocks: Mapping[tuple[int, int, int], float]
    gates: float

    def of(self, mode: Mode) -> float:
        """Cycles of an inference in a mode, without gates; as measured where it was.

        Raises:
            DimmerError: no built mode runs one of its blocks at that width.
        """
        if str(mode) in self.measured:
            return float(self.measured[str(mode)])
        total = self.fixed
        for s, stage in enumerate(mode.blocks):
            for b, bits in enumerate(stage):
                if bits:
                    if (s, b, bits) not in self.blocks:
                        raise DimmerError(
                            f"no mode of that build runs block {s}.{b} at {width_name(bits)} bits: publish one"
                        )
                    total += self.blocks[s, b, bits]
        return total


def read_cycles(path: Path, model: str) -> CycleCosts:
    """The costs in a build's report.json.

    Raises:
        DimmerError: it is missing, broken, of another model, or of a target without cycles.
    """
    try:
        report = parse_document(_Report, path.read_text())
    except (OSError, ValueError) as error:
        raise DimmerError(f"{path} is no report.json of a build ({error}); build the model first") from error
    if report.model != model:
        raise DimmerError(f"{path} is the report of {report.model}, not of {model}")
    cycles = {mode.name: mode.cycles for mode in report.modes if mode.cycles is not None}
    if len(cycles) < len(report.modes) or any(step.cycles is None for step in report.steps) or not report.steps:
        raise DimmerError(f"{path} has no cycles of every mode and step; take a target with [timing], as mps2-an386")
    found: dict[tuple[int, int, int], list[float]] = {}
    fixed = []
    for name, whole in cycles.items():
        inside = 0.0
        for s, stage in enumerate(Mode.parse(name).blocks):
            for b, bits in enumerate(stage):
                own = [s_.cycles or 0 for s_ in report.steps if s_.mode == name and s_.layer.startswith(f"{s}.{b}.")]
                if bits:
                    found.setdefault((s, b, bits), []).append(float(sum(own)))
                inside += sum(own)
        fixed.append(whole - inside)
    blocks = {place: sum(values) / len(values) for place, values in found.items()}
    return CycleCosts(report.target, cycles, sum(fixed) / len(fixed), blocks, _gates(report))


def _gates(report: _Report) -> float:
    instructions = (report.gates or {}).get("instructions")
    top = max(report.modes, key=lambda mode: mode.cycles or 0)
    if not isinstance(instructions, int) or not top.instructions or not top.cycles:
        return 0.0
    return instructions * top.cycles / top.instructions
