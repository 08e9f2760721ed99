# SPDX-License-Identifier: Apache-2.0
"""From a measured inference to the constants of a target, and into the user's file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.energy.measurement.result import Measured, Spread
from dimmer.targets.kit.schema import Table
from dimmer.targets.power.constants import Constant, Energy, measured_files, measured_of
from dimmer.targets.target import TARGETS, Target
from dimmer.toml import shown

_SAME_CLOCK = 0.01
"""Of the clock: crystals are closer, and nobody measures at two clocks so near."""
_WAITS = (0.5, 20.0)
"""Cycles on a board over modelled ones: beyond, another mode or another clock was measured."""


@dataclass(frozen=True)
class Setting:
    """What was measured, beside the trace.

    Attributes:
        trace: name of its file.
        day: of the measurement, YYYY-MM-DD.
        cycles: of the inference, without wait states, as a report tells them; None where no mode is named.
        clock_mhz: of the core, where somebody says it; None for that of the target's image.
        image_mhz: of the core while the target's image runs, of its [board]; None for that of the constants.
        asleep: whether the board slept between inferences.
        accuracy: of the power meter, as a share of what it reads.
    """

    trace: str
    day: str
    cycles: int | None = None
    clock_mhz: float | None = None
    image_mhz: float | None = None
    asleep: bool = False
    accuracy: float = 0.01


def constants_of(measured: Measured, energy: Energy, setting: Setting) -> dict[str, Constant]:
    """The constants that follow, by name.

    At the image's clock, or that of the constants, these are what a cycle takes and the voltage, with a mode's cycles
    the wait factor, and what is drawn asleep. Where the constants are of another clock, that of the image is one of
    them: what a cycle takes is only known there. At any third clock it is what is drawn at any.

    Raises:
        DimmerError: at a third clock, where what a cycle takes was not measured before, or with a mode; the time is not
            that of the mode; nothing can be told of sleep, though it was asked for.
    """
    if setting.clock_mhz is not None and not _is_own(setting.clock_mhz, energy, setting):
        if setting.cycles is not None:
            raise DimmerError(
                f"{setting.clock_mhz:g} MHz is not the image's clock, and the wait factor is not the same there: leave "
                "--mode away"
            )
        found = {"fixed_ua": _fixed(measured, energy, setting, setting.clock_mhz)}
    else:
        found = _of_cycles(measured, energy, setting)
    if setting.asleep:
        found["sleep_ua"] = _asleep(measured, setting)
    return found


def _is_own(clock_mhz: float, energy: Energy, setting: Setting) -> bool:
    """Whether what a cycle takes is told at this clock, and not what is drawn at any."""
    image = setting.image_mhz
    return _same(clock_mhz, energy.clock_mhz.value) or (image is not None and _same(clock_mhz, image))


def _same(one_mhz: float, other_mhz: float) -> bool:
    return abs(one_mhz / other_mhz - 1) <= _SAME_CLOCK


def _of_cycle(energy: Energy) -> Constant | None:
    return energy.cycle_pc if energy.linear else energy.cycle_pj


def _constant(measured: Measured, setting: Setting, value: float, spread: float, accuracy: float) -> Constant:
    said = f"measured: {setting.trace}, {setting.day}, {measured.inferences:,} inferences"
    return Constant(_short(value), _short(math.hypot(spread, accuracy * value)), said, setting.day, setting.trace)


def _of_cycles(measured: Measured, energy: Energy, setting: Setting) -> dict[str, Constant]:
    """What a cycle takes, the voltage, the clock where it is another one, the wait factor where a mode is named."""
    own = setting.clock_mhz or setting.image_mhz or energy.clock_mhz.value

    def constant(value: float, spread: float, accuracy: float = setting.accuracy) -> Constant:
        return _constant(measured, setting, value, spread, accuracy)

    def per(spread: Spread, divisor: float, accuracy: float = setting.accuracy) -> Constant:
        return constant(spread.mean / divisor, spread.deviation / divisor, accuracy)

    seconds = measured.seconds
    found = {"supply_mv": constant(measured.millivolts, 0.0)}
    if not _same(own, energy.clock_mhz.value):
        found["clock_mhz"] = constant(own, 0.0, _SAME_CLOCK)
    if energy.active_mw is not None and _of_cycle(energy) is None:
        found["active_mw"] = per(measured.microjoules, seconds.mean * 1000)
    else:
        # Microcoulombs or microjoules over millions of cycles: pico.
        taken = measured.microcoulombs if energy.linear else measured.microjoules
        found["cycle_pc" if energy.linear else "cycle_pj"] = per(taken, seconds.mean * own)
    if setting.cycles is not None:
        waits = seconds.mean * own * 1e6 / setting.cycles
        if not _WAITS[0] <= waits <= _WAITS[1]:
            raise DimmerError(
                f"an inference took {waits:,.3g} times the cycles of its mode at {own:g} MHz: name the mode that ran "
                "with --mode, its clock with --clock-mhz, and the inferences of a stretch with --per-window"
            )
        # The meter's clock is no source of error to speak of.
        found["wait_factor"] = per(seconds, setting.cycles / own / 1e6, 0.0)
    return found


def _asleep(measured: Measured, setting: Setting) -> Constant:
    between = measured.between_ua
    if between is None or not between.mean > 0:
        what = "nothing lies" if between is None else f"{between.mean:,.3g} uA were drawn"
        raise DimmerError(f"{what} between inferences: leave --asleep away, or set the meter's zero and record again")
    return _constant(measured, setting, between.mean, between.deviation, setting.accuracy)


def _fixed(measured: Measured, energy: Energy, setting: Setting, clock_mhz: float) -> Constant:
    """What is drawn at any clock, of the currents at two: I = fixed + slope x clock."""
    own, of_cycle = energy.clock_mhz.value, _of_cycle(energy)
    if of_cycle is None or of_cycle.measured_on is None:
        there_mhz = setting.image_mhz or own
        raise DimmerError(
            f"what a cycle takes at {there_mhz:g} MHz is not measured yet: measure with --write there first"
        )
    # Picocoulombs times megahertz are microamperes.
    there = of_cycle.value * own / (1 if energy.linear else energy.supply_mv.value / 1000)
    here = 1000 * measured.milliamperes
    fixed = (there * clock_mhz - here * own) / (clock_mhz - own)
    if not 0 <= fixed < here:
        raise DimmerError(
            f"{here / 1000:,.4g} mA at {clock_mhz:g} MHz and {there / 1000:,.4g} mA at {own:g} MHz do not go together: "
            "measure the same mode of the same model, from the same voltage, at both"
        )
    relative = math.hypot(measured.microcoulombs.deviation / measured.microcoulombs.mean, setting.accuracy)
    error = abs(own * here * relative / (clock_mhz - own)) + abs(clock_mhz * there * of_cycle.relative) / abs(
        clock_mhz - own
    )
    said = f"measured: {setting.trace} at {clock_mhz:g} MHz, {setting.day}; and at {own:g} MHz before"
    return Constant(_short(fixed), _short(error), said, setting.day, setting.trace)


def _short(value: float) -> float:
    """Five digits: more than any meter knows."""
    return float(f"{value:.5g}")


def cycles_of_mode(report: Path, mode: str) -> int:
    """The cycles of a mode that a build's report.json tells.

    Raises:
        DimmerError: there is no such report, or it has no such mode, or no cycles of it.
    """
    build = f"dimmer build --model {report.parent.parent.name} --target {report.parent.name}"
    try:
        modes = {one["name"]: one.get("cycles") for one in json.loads(report.read_text())["modes"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DimmerError(f"{report} cannot be read: type '{build}' first") from error
    if mode not in modes:
        raise DimmerError(f"{report} has no mode {shown(mode)}: name one of {', '.join(map(str, modes))}")
    cycles = modes[mode]
    if not isinstance(cycles, int) or cycles < 1:
        raise DimmerError(f"{report} has no cycles of {mode}: measure without --mode, the wait factor stays as it is")
    return cycles


def place_of(target: Target) -> Path:
    """Where a target's measured constants go: beside the user's target.toml, else into the project's folder.

    Raises:
        DimmerError: the target is Dimmer's own, and there is no project.
    """
    beside, *within = measured_files(target.folder, target.name)
    if TARGETS not in target.folder.parents:
        return beside
    if not within:
        raise DimmerError(
            f"{target.name} is one of Dimmer's own targets, and this is no project: type 'dimmer init NAME', and then "
            "measure in its folder"
        )
    return within[0]


def write_constants(path: Path, constants: Mapping[str, Constant]) -> None:
    """Write measured constants; others that the file has stay, but for the wait factor of another clock.

    Raises:
        DimmerError: the file is broken, or cannot be written.
    """
    kept = measured_of(Table.read(path)) if path.is_file() else {}
    if "clock_mhz" in constants:
        kept.pop("wait_factor", None)
    both = {**kept, **constants}
    head = "# Written by dimmer measure: these constants count before those of target.toml and of the board.\n"
    text = head + "".join(_table(name, both[name]) for name in sorted(both))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, text)
    except OSError as error:
        raise DimmerError(f"{path} cannot be written: {error.strerror}") from error


def _table(name: str, constant: Constant) -> str:
    lines = [f"\n[energy.{name}]", f"value = {constant.value!r}", f"plus_minus = {constant.plus_minus!r}"]
    lines.append(f"source = {json.dumps(constant.source, ensure_ascii=False)}")
    for key, text in (("measured_on", constant.measured_on), ("trace", constant.trace)):
        if text is not None:
            lines.append(f"{key} = {json.dumps(text, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"
