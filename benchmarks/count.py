# SPDX-License-Identifier: Apache-2.0
"""Counting: instructions, flash and RAM of a model on a target, and the comparison with the baseline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.cycles import CyclesSource
from dimmer.pipeline.artifacts.firmware import Firmware
from dimmer.pipeline.core.stage import ROOT, atomic_write
from dimmer.pipeline.image.make import make
from dimmer.pipeline.image.order import foreign_order
from dimmer.targets import load_target, target_names
from dimmer.targets.kit.toolchain import require

BASELINE = Path(__file__).resolve().parent / "baseline.json"
MODELS = ROOT.parent / "shared" / "models"
TOLERANCE = 0.02


@dataclass(frozen=True)
class Count:
    """One model on one target; every figure repeats exactly.

    Attributes:
        macs, instructions: of one inference.
        switch: instructions of a change of mode.
        code: bytes of the runtime and the kernels that the model uses.
        arena, stack: bytes of RAM.
        cycles: clock cycles of one inference; None where they are neither measured nor modelled.
        cycles_source: where they come from; None without cycles.
    """

    macs: int
    instructions: int
    switch: int
    code: int
    arena: int
    stack: int
    cycles: int | None = None
    cycles_source: CyclesSource | None = None


@dataclass(frozen=True)
class Layer:
    """One step of an inference.

    Attributes:
        layer: name of the tensor that it computes.
        kernel: the C function.
        cycles, cycles_source: as of `Count`.
    """

    layer: str
    kernel: str
    macs: int
    instructions: int
    cycles: int | None = None
    cycles_source: CyclesSource | None = None


@dataclass(frozen=True)
class Measured:
    """What was counted in one mode; a plain `.tflite` has one, of the file's name."""

    mode: str
    count: Count
    layers: tuple[Layer, ...]


def count(model: Path, target: str) -> Count:
    """As `measure`, without the layers."""
    return measure(model, target).count


def measure(model: Path, target: str) -> Measured:
    """Builds the firmware of a .tflite and counts on the emulator.

    Raises:
        TargetError, FirmwareGenError, DimmerError: as `pipeline.firmware`.
    """
    with children.scratch() as work:
        figures = make(foreign_order([model], samples=0), load_target(target), work, lambda _t, _s: None)
    return measured_modes(figures)[0]


def measured_modes(figures: Firmware) -> tuple[Measured, ...]:
    """Every mode of a firmware.

    Raises:
        DimmerError: its target counts nothing.
    """
    found = []
    for mode in figures.modes:
        figure = Count(
            mode.macs,
            _counted(mode.instructions, figures),
            _counted(figures.switch.instructions, figures),
            figures.flash.runtime_code,
            figures.ram.arena,
            _counted(figures.ram.stack, figures),
            mode.cycles,
            mode.cycles_source,
        )
        layers = tuple(
            Layer(s.layer, s.kernel, s.macs, _counted(s.instructions, figures), s.cycles, s.cycles_source)
            for s in figures.steps
            if s.mode == mode.name
        )
        found.append(Measured(mode.name, figure, layers))
    return tuple(found)


def _counted(figure: int | None, figures: Firmware) -> int:
    if figure is None:
        raise DimmerError(f"{figures.target} has no instruction counter: name a target that counts")
    return figure


def models() -> tuple[Path, ...]:
    """The models that are counted: MLPerf Tiny's, in ../shared/models; empty where that folder is absent."""
    return tuple(sorted(MODELS.glob("*.tflite")))


def key(model: Path, target: str) -> str:
    """How a count is called in the baseline."""
    return f"{model.stem} on {target}"


def grown(measured: Mapping[str, Count], baseline: Mapping[str, Count]) -> list[str]:
    """One line for each figure that is more than 2 % over its baseline, and for each that has none."""
    lines = []
    for name, now in measured.items():
        if name not in baseline:
            lines.append(f"{name}: not in {BASELINE.name}; python -m benchmarks --update puts it there")
            continue
        for figure, value in _figures(now).items():
            before = _figures(baseline[name]).get(figure)
            # Cycles of a core's RTL and those of a model are different things.
            if before is None or (figure == "cycles" and now.cycles_source != baseline[name].cycles_source):
                continue
            if value > before * (1 + TOLERANCE):
                lines.append(f"{name}: {figure} grew from {before:,} to {value:,} ({value / before - 1:+.1%})")
    return lines


def _figures(count: Count) -> dict[str, int]:
    return {name: value for name, value in asdict(count).items() if isinstance(value, int)}


def targets() -> tuple[str, ...]:
    """Every target that counts instructions."""
    return tuple(name for name in target_names() if load_target(name).counts_instructions)


def compiler(target: str) -> tuple[str, str]:
    """The target's compiler, and the first line of what it says of its version: other compilers, other counts.

    Raises:
        TargetError: there is no such compiler here.
    """
    toolchain = load_target(target).toolchain
    require(toolchain.packages)
    command = toolchain.compilers[0]
    said = children.run([command, "--version"])
    return command, said.stdout.splitlines()[0]


@dataclass(frozen=True)
class Baseline:
    """The committed figures.

    Attributes:
        compilers: command -> the version that counted.
        counts: `key` -> figures.
    """

    compilers: Mapping[str, str]
    counts: Mapping[str, Count]

    def other_compiler(self, target: str) -> str | None:
        """Why figures of a target cannot be compared here; None where they can."""
        command, here = compiler(target)
        before = self.compilers.get(command, here)
        return None if before == here else f"the baseline was counted with {before}, here is {here}"


def read_baseline() -> Baseline:
    """The content of baseline.json."""
    contents = json.loads(BASELINE.read_text())
    return Baseline(contents["compilers"], {name: Count(**figures) for name, figures in contents["counts"].items()})


def write_baseline(baseline: Baseline) -> None:
    """Makes these figures the new baseline."""
    counts = {
        name: {figure: value for figure, value in asdict(count).items() if value is not None}
        for name, count in sorted(baseline.counts.items())
    }
    compilers = dict(sorted(baseline.compilers.items()))
    atomic_write(BASELINE, json.dumps({"compilers": compilers, "counts": counts}, indent=1) + "\n")


def updated(baseline: Baseline, measured: Mapping[str, Count], compilers: Mapping[str, str]) -> Baseline:
    """The baseline with these figures in the place of its own; figures of a compiler that is gone are dropped."""
    gone = {command for command, version in compilers.items() if baseline.compilers.get(command, version) != version}
    kept = {
        name: figures
        for name, figures in baseline.counts.items()
        if load_target(name.split(" on ")[-1]).toolchain.compilers[0] not in gone
    }
    return Baseline({**baseline.compilers, **compilers}, {**kept, **measured})
