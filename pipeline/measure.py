# SPDX-License-Identifier: Apache-2.0
"""Measuring: a power meter's trace becomes charge and energy of an inference, and constants of the target.

dimmer measure trace.csv --target lock --volts 3 --pin 0 --model bell --mode 88.88.88 --write
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.core.command import main_of, model_option, target_option
from dimmer.pipeline.energy.measurement.constants import (
    Setting,
    constants_of,
    cycles_of_mode,
    place_of,
    write_constants,
)
from dimmer.pipeline.energy.measurement.jetson import RAIL
from dimmer.pipeline.energy.measurement.reading import Told, read_trace
from dimmer.pipeline.energy.measurement.result import measure
from dimmer.pipeline.energy.measurement.show import show_measured
from dimmer.pipeline.energy.measurement.windows import find_windows
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.targets import load_target


def main(
    trace: Annotated[Path, typer.Argument(help="PPK2 or Joulescope CSV, JLS, MLPerf Tiny, tegrastats, INA3221.")],
    target: Annotated[str, target_option] = "mps2-an386",
    model: Annotated[str, model_option] = "mnist5k-r14",
    mode: Annotated[str | None, typer.Option("--mode", help="Which was measured: tells the wait factor.")] = None,
    volts: Annotated[float | None, typer.Option("--volts", min=0.1, max=100.0, help="Of the supply.")] = None,
    pin: Annotated[int | None, typer.Option("--pin", min=0, help="Input that is high during an inference.")] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", min=0.0, max=1e6, help="mA, or mW without current.")
    ] = None,
    per_window: Annotated[int | None, typer.Option("--per-window", min=1, help="Inferences a stretch.")] = None,
    gap_ms: Annotated[
        float, typer.Option("--gap-ms", min=0.0, max=1e6, help="Dips within an inference, at most.")
    ] = 0.5,
    rail: Annotated[str, typer.Option("--rail", help="Of tegrastats.")] = RAIL,
    interval_ms: Annotated[int, typer.Option("--interval-ms", min=1, help="Of tegrastats.")] = 1000,
    clock_mhz: Annotated[
        float | None, typer.Option("--clock-mhz", min=0.01, max=1e5, help="Where not the image's.")
    ] = None,
    asleep: Annotated[bool, typer.Option("--asleep", help="The board slept between: take that, too.")] = False,
    accuracy: Annotated[float, typer.Option("--accuracy", min=0.0, max=100.0, help="The meter's, percent.")] = 1.0,
    day: Annotated[str | None, typer.Option("--day", help="Of the measurement, YYYY-MM-DD; today.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Into your project: the target's constants.")] = False,
) -> None:
    """Tell charge and energy of an inference from a power meter's trace, and the target's constants with them."""
    chosen = load_target(target)
    energy = chosen.energy
    if energy is None:
        raise DimmerError(f"targets/{chosen.name}/target.toml has no [energy]: give it one, at least 'board'")
    place = place_of(chosen) if write else None
    cycles = None
    if mode is not None:
        cycles = cycles_of_mode(build_folder(load_recipe(model)) / chosen.name / "report.json", mode)
    recorded = read_trace(trace, Told(per_window, rail, interval_ms))
    windows = find_windows(trace, recorded, pin, threshold, per_window or 1, gap_ms / 1000)
    measured = measure(trace, recorded, windows, None if volts is None else 1000 * volts)
    image_mhz = None if chosen.board is None else chosen.board.clock_hz / 1e6
    setting = Setting(trace.name, _day(day), cycles, clock_mhz, image_mhz, asleep, accuracy / 100)
    constants = constants_of(measured, energy, setting)
    show_measured(f"{trace.name}, {recorded.kind}", measured, constants, energy.clock_mhz.value)
    if place is not None:
        write_constants(place, constants)
        print(place)


def _day(given: str | None) -> str:
    try:
        return (date.today() if given is None else date.fromisoformat(given)).isoformat()
    except ValueError as error:
        raise DimmerError(f"--day {given}: give it as YYYY-MM-DD") from error


if __name__ == "__main__":
    main_of(main)
