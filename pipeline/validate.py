# SPDX-License-Identifier: Apache-2.0
"""Validation: the board on a serial line computes what the TFLite interpreter does, bit for bit.

python -m pipeline.validate --port /dev/ttyACM0 --target nrf52840dk
python -m pipeline.validate --port /dev/ttyACM0 --target nrf52840dk --tflite network.tflite
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from dimmer.errors import DimmerError
from dimmer.firmware_gen.graph.micro import Reference
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.artifacts.converted import converted_folder, mode_sources
from dimmer.pipeline.artifacts.firmware import firmware_modes
from dimmer.pipeline.artifacts.places import built_elf, built_folder
from dimmer.pipeline.core.command import (
    console,
    main_of,
    model_option,
    name_option,
    progress_bar,
    reference_option,
    signature_option,
    target_option,
    tflite_option,
)
from dimmer.pipeline.data.encoding import to_int8
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.oracle.micro import require_reference
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from dimmer.pipeline.projects.built import check_made_of, find_build, int8_files
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.verification.attached import ValidatedMode, validate
from dimmer.pipeline.verification.patience import patience_s
from dimmer.targets import Target, load_target
from dimmer.targets.runners.image import image_of


def main(
    port: Annotated[str, typer.Option("--port", help="Serial port of the board: /dev/ttyACM0.")],
    target: Annotated[str, target_option],
    model: Annotated[str, model_option] = "mnist5k-r14",
    tflite: Annotated[list[Path] | None, tflite_option] = None,
    name: Annotated[str | None, name_option] = None,
    signature: Annotated[str | None, signature_option] = None,
    elf: Annotated[Path | None, typer.Option("--elf", help="Another program than that of the build.")] = None,
    samples: Annotated[int, typer.Option("--samples", min=1, help="Inputs of each mode.")] = 10,
    reference: Annotated[Reference | None, reference_option] = None,
) -> None:
    """Compare a board on a serial line with the TFLite interpreter, every mode, bit for bit."""
    if reference is not None and not tflite:
        raise DimmerError("--reference goes with --tflite; leave it out for the model of a recipe")
    require_reference(reference)
    compared_with = reference or Reference.LITERT
    chosen = load_target(target)
    if chosen.board is None:
        raise DimmerError(f"{target} is no board with a serial line: 'dimmer build' has compared it already")
    build = find_build(target, model, tflite, name, signature)
    modes, inputs = _subjects(chosen, model, int8_files(build, signature), samples, compared_with)
    program = elf or built_elf(build.folder, chosen)
    if elf is None and program.is_file():
        check_made_of(build, built_folder(build.folder, chosen), signature)
    image = b""
    if chosen.memory is not None and (elf is not None or program.is_file()):
        image = image_of(program, chosen.memory)
    with progress_bar("validate") as progress:
        found = validate(port, chosen, modes, inputs, progress, image, patience_s(chosen, build.folder))
    print_validated(chosen, found)
    compared = f"{len(image):,} bytes of flash are as built" if image else f"flash not compared: there is no {program}"
    print(compared)
    wrong = [mode for mode in found if mode.mismatches or not mode.known]
    if wrong:
        first = next((f", first at input {mode.first}" for mode in wrong if mode.first is not None), "")
        raise DimmerError(
            f"{chosen.name} differs from {compared_with.title} in {', '.join(mode.name for mode in wrong)}{first}: "
            "flash it again, and report it if that does not help"
        )


def _subjects(
    target: Target, model: str, tflite: Sequence[Path], samples: int, reference: Reference
) -> tuple[tuple[ModeSource, ...], bytes]:
    """The modes in the order of their ids on the board, and inputs."""
    if tflite:
        modes = tuple(ModeSource(path.stem, path, (), reference) for path in tflite)
        # Edge cases come first, then random ones; both ends are worth a look.
        both = sample_inputs(modes[0].path, (samples + 1) // 2)
        return modes, both[: len(both) // (2 * ((samples + 1) // 2)) * samples]
    recipe = load_recipe(model)
    build = build_folder(recipe)
    published = firmware_modes(build, target.name)
    modes = tuple(source for source in mode_sources(converted_folder(build)) if source.name in published)
    return modes, to_int8(load_dataset(recipe.source).test.images[:samples]).tobytes()


def print_validated(target: Target, modes: Sequence[ValidatedMode]) -> None:
    """What the board did, as a table on the terminal."""
    from rich.table import Table

    table = Table(title=f"{target.name}, {target.description}", title_justify="left", title_style="bold")
    for heading in ("mode", "known answer", "mismatches", "cycles", "ms", "stack"):
        table.add_column(heading, justify="left" if heading == "mode" else "right")
    for mode in modes:
        milliseconds = "-" if mode.microseconds is None else f"{mode.microseconds / 1000:,.1f}"
        cycles, stack = (("-" if value is None else f"{value:,}") for value in (mode.cycles, mode.stack))
        known = "right" if mode.known else "WRONG"
        table.add_row(mode.name, known, f"{mode.mismatches} of {mode.samples}", cycles, milliseconds, stack)
    console().print(table)


if __name__ == "__main__":
    main_of(main)
