# SPDX-License-Identifier: Apache-2.0
"""A detector behind a built model of recordings: smoother and threshold, by false alarms an hour against misses.

python -m pipeline.detect --model words --target mps2-an386 --alarms 1 --write
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.artifacts.detected import detected_folder
from dimmer.pipeline.core.command import console, main_of, model_option, progress_bar, target_option
from dimmer.pipeline.core.stage import Json, atomic_write
from dimmer.pipeline.projects.sections import with_section
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.targets import load_target

if TYPE_CHECKING:
    from dimmer.firmware_gen.features.tune import Outcome


def main(
    target: Annotated[str, target_option],
    model: Annotated[str, model_option] = "mnist5k-r14",
    mode: Annotated[str | None, typer.Option("--mode", help="Of the model; the best one by default.")] = None,
    alarms: Annotated[float, typer.Option("--alarms", min=0, max=1e6, help="False alarms an hour, at most.")] = 10.0,
    average: Annotated[int, typer.Option("--average", min=1, max=255, help="Newest outputs that are added up.")] = 3,
    quiet: Annotated[int, typer.Option("--quiet", min=0, help="Inferences after a detection without another.")] = 10,
    hop: Annotated[
        int, typer.Option("--hop", min=0, help="Rows from one inference to the next; a tenth of an input's by default.")
    ] = 0,
    event: Annotated[
        list[str] | None, typer.Option("--event", help="A class that is an event; all but those called noise.")
    ] = None,
    seconds: Annotated[
        float, typer.Option("--seconds", min=0, max=86_400, help="Streamed on the target and compared.")
    ] = 20.0,
    write: Annotated[bool, typer.Option("--write", help="Write the detector into the recipe.")] = False,
) -> None:
    """Tune a keyword spotter's detector on validation, score it on test, and stream it on a target, bit for bit."""
    from dimmer.pipeline.verification.streams.board import stream_on
    from dimmer.pipeline.verification.streams.detection import Wish, detect, detected
    from dimmer.pipeline.verification.streams.stream import stream_of

    recipe, chosen = load_recipe(model), load_target(target)
    build, wish = build_folder(recipe), Wish(alarms, average, quiet, hop, tuple(event or ()))
    with progress_bar("detect") as progress:
        progress("tuning on validation", 0.0)
        found = detect(recipe, build, wish, mode)
        progress(f"streaming on {chosen.name}", 0.5)
        data = recipe.source
        assert not isinstance(data, str)
        streamed = stream_on(chosen, build, found, stream_of(data, "test"), seconds) if seconds else None
    print(f"{recipe.name}, {found.ears.mode}: an inference each {found.ears.period_s * 1000:.0f} ms")
    print(f"threshold {found.threshold:.6g} of the mean of {average} outputs, {quiet} inferences quiet")
    _print_outcomes({"validation": found.validation, "test": found.test})
    if streamed is not None:
        told = f"{streamed.inferences} inferences, {streamed.detections} detections"
        if streamed.differing:
            raise DimmerError(f"{chosen.name} differs in {streamed.differing} of {told}; do not flash it, report it")
        print(f"{chosen.name}: {streamed.seconds:.1f} s streamed, {told}, all bit-exact")
    detected(recipe, build, wish, found).save(detected_folder(build))
    if write:
        keys: dict[str, Json] = {
            "classes": list(found.wanted),
            "threshold": found.threshold,
            "average": average,
            "quiet": quiet,
        }
        text = recipe.path.read_text(encoding="utf-8")
        atomic_write(recipe.path, with_section(text, "features.detector", keys))
        print(f"{recipe.path}: [features.detector]; the next dimmer build has it, and trains nothing anew")


def _print_outcomes(outcomes: dict[str, Outcome]) -> None:
    from rich.table import Table

    table = Table("", "events", "missed", "95 %", "false alarms an hour", "95 %", "of minutes")
    for name, one in outcomes.items():
        (low, high), (least, most) = one.miss_interval, one.alarm_interval
        missed = f"{100 * one.missed / one.events:.0f} %" if one.events else "-"
        table.add_row(
            name,
            str(one.events),
            missed,
            f"{100 * low:.0f} to {100 * high:.0f}",
            f"{one.alarms_per_hour:.3g}",
            f"{least:.3g} to {most:.3g}",
            f"{60 * one.hours:.1f}",
        )
    console().print(table)


if __name__ == "__main__":
    main_of(main)
