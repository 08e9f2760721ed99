# SPDX-License-Identifier: Apache-2.0
"""Survey: what becomes of every `.tflite` of a folder, with cycles, arena and flash, or the reason why nothing does.

python -m pipeline.survey ../shared/models --target mps2-an386 --out docs/models.md
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dimmer.firmware_gen.graph.micro import Reference
from dimmer.pipeline.artifacts.context import builds
from dimmer.pipeline.core.command import main_of, progress_bar, reference_option, target_option
from dimmer.pipeline.core.targets import equipped_firmware_target
from dimmer.pipeline.oracle.micro import require_reference

FAILED = 1
"""Exit status where a result differs from the interpreter's."""


def main(
    folder: Annotated[Path, typer.Argument(help="Of .tflite files, with the folders in it.")],
    target: Annotated[str, target_option] = "mps2-an386",
    samples: Annotated[int, typer.Option("--samples", min=1, help="Inputs to compare of each file.")] = 20,
    reference: Annotated[Reference, reference_option] = Reference.LITERT,
    out: Annotated[Path | None, typer.Option("--out", help="A file for the page; else it is printed.")] = None,
) -> None:
    """Make a firmware of every .tflite of a folder: cycles, arena, flash, or the reason why not."""
    from dimmer.firmware_gen.files import write_atomically
    from dimmer.pipeline.reporting.survey import WRONG, survey, survey_page

    require_reference(reference)
    chosen = equipped_firmware_target(target)
    with progress_bar("survey") as progress:
        rows = survey(folder, chosen, samples, builds() / "survey" / chosen.name, progress, reference)
    command = f"dimmer survey FOLDER --target {chosen.name} --samples {samples}"
    if reference is not Reference.LITERT:
        command += f" --reference {reference.value}"
    page = survey_page(rows, chosen.name, samples, command, reference)
    if out is None:
        print(page, end="")
    else:
        write_atomically(out, page)
        print(out)
    if any(row.result == WRONG for row in rows):
        raise typer.Exit(FAILED)


if __name__ == "__main__":
    main_of(main)
