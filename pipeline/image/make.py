# SPDX-License-Identifier: Apache-2.0
"""A firmware made, run and measured; modes judged by what they cost on the target."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from dimmer import children
from dimmer.calibration.selection import on_target
from dimmer.errors import DimmerError
from dimmer.firmware_gen.library import sources
from dimmer.pipeline.artifacts.calibration import Calibration
from dimmer.pipeline.artifacts.firmware import Firmware
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.image.compiled import Compiled, compile_modes
from dimmer.pipeline.image.counting import costs_of
from dimmer.pipeline.image.cycles import cycles_of_modes
from dimmer.pipeline.image.events import ModeCounted, SelfTested, named, only, run_events
from dimmer.pipeline.image.figures import Judged, Ran, figures_of
from dimmer.pipeline.image.order import Order
from dimmer.pipeline.image.records import verify_modes
from dimmer.pipeline.image.stack import write_header
from dimmer.pipeline.modes.mode import FULL_BITS, Mode
from dimmer.targets import Target
from dimmer.targets.counter import counter_of


def make(order: Order, target: Target, out: Path, progress: Progress, judged: Judged | None = None) -> Firmware:
    """Writes the firmware of all modes and `firmware.json` into `out`, and gives the content of the latter.

    Args:
        judged: what was found of modes before, for the record.

    Raises:
        FirmwareGenError, DimmerError, TargetError: as `compile_modes`.
    """
    progress("generating and compiling", 0.0)
    if len(order.modes) > 1:
        with children.scratch() as single, ThreadPoolExecutor(2) as pool:
            alone = pool.submit(compile_modes, order, order.modes[:1], target, single)
            full = compile_modes(order, order.modes, target, out, prove_stack=True)
            top = alone.result()
    else:
        full = top = compile_modes(order, order.modes, target, out, prove_stack=True)
    target.prepare(lambda text: progress(text, 0.2))
    progress("self-test and bench", 0.3)
    check_known_answers(target, full, out)
    costs = costs_of(order, target, full, out, progress)
    verification = verify_modes(order, target, full, progress) if order.samples else {}
    runtime_files = {path.name for path in sources()}
    ran = Ran(costs.events, verification, costs.modelled, costs.counter)
    figures = figures_of(order, target, full, top, ran, judged or Judged(), runtime_files)
    write_header(figures, target, out)
    figures.save(out)
    return figures


def check_known_answers(target: Target, full: Compiled, out: Path) -> None:
    """Runs the firmware's self-test in the folder `out`.

    Raises:
        DimmerError: a mode does not give the answer that the interpreter gave; the message names it.
    """
    events = only(SelfTested, named(run_events(target, full.elf, ["selftest"], out), full.model.modes))
    failed = [event.mode for event in events if not event.ok]
    if failed or len(events) != len(full.model.modes):
        raise DimmerError(
            f"{target.name}: the self-test of {', '.join(failed) or 'some mode'} fails: the firmware does not compute "
            "what the TFLite interpreter does; do not flash it, report it"
        )


@dataclass(frozen=True)
class Counted:
    """What the published modes cost on a target.

    Attributes:
        instructions: mode -> of one inference; empty where it was not counted.
        worse: mode -> why it is not worth running there.
        cycles: mode -> of one inference; empty where they are not known of every mode.
        milliseconds: mode -> of one inference, by an estimate that is not of the target's constants; empty without one.
    """

    instructions: Mapping[str, int] = field(default_factory=dict)
    worse: Mapping[str, str] = field(default_factory=dict)
    cycles: Mapping[str, int] = field(default_factory=dict)
    milliseconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def cost(self) -> Mapping[str, int]:
        """What modes are compared by: cycles where they are known, else instructions."""
        return self.cycles or self.instructions

    @property
    def unit(self) -> str:
        """Of the cost."""
        return "cycles" if self.cycles else "instructions"


def judge(order: Order, calibration: Calibration, target: Target, progress: Progress, needed: bool = False) -> Counted:
    """Counts every mode on the target, or on the emulated board that counts for it.

    Nothing is counted where nobody can count for it, or where all blocks have 8 bits, as then fewer operations are
    fewer instructions.

    Args:
        needed: count these, too.
    """
    names = [mode.name for mode in order.modes]
    narrow = any({*chain(*Mode.parse(name).blocks)} - {FULL_BITS, 0} for name in names)
    counter = counter_of(target)
    if not (narrow or needed) or counter is None:
        return Counted()
    progress("counting the modes", 0.0)
    with children.scratch() as work:
        elf = compile_modes(order, order.modes, counter, work).elf
        events = only(ModeCounted, named(run_events(counter, elf, ["bench"], work, count=True), names))
        cycles = cycles_of_modes(counter, elf, work, events)
    counted = Counted({e.mode: e.instructions for e in events if e.instructions is not None}, cycles=cycles)
    if not narrow:
        return counted
    accuracies = {name: calibration.mode(name).accuracy for name in names}
    return replace(counted, worse=on_target(names, counted.cost, accuracies, counted.unit))
