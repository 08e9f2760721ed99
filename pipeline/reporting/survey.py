# SPDX-License-Identifier: Apache-2.0
"""What becomes of every `.tflite` of a folder: a firmware with its figures, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.firmware_gen.graph.micro import Reference
from dimmer.pipeline.artifacts.firmware import Firmware
from dimmer.pipeline.core.progress import Progress, part
from dimmer.pipeline.image.order import foreign_order
from dimmer.pipeline.reporting.foreign import foreign_stage
from dimmer.targets import Target

EXACT, WRONG, REFUSED = "exact", "wrong", "refused"


@dataclass(frozen=True)
class Surveyed:
    """What became of a file.

    Attributes:
        file: below the folder.
        result: "exact": every result is the TFLite interpreter's; "wrong"; "refused".
        macs: multiply-accumulates of an inference.
        instructions: of an inference; None where the target does not count.
        cycles: of an inference; None where they are neither measured nor modelled.
        arena: bytes.
        flash: bytes.
        reason: why it was refused, one line; how many results differ.
    """

    file: str
    result: str
    macs: int | None = None
    instructions: int | None = None
    cycles: int | None = None
    arena: int | None = None
    flash: int | None = None
    reason: str = ""


def survey(
    folder: Path,
    target: Target,
    samples: int,
    work: Path,
    progress: Progress,
    reference: Reference = Reference.LITERT,
) -> list[Surveyed]:
    """Makes a firmware of every file in a folder and the folders in it, and compares `samples` inputs.

    Args:
        work: where firmwares go; what is there of unchanged files is taken as it is.
        reference: whose results they give.

    Raises:
        DimmerError: there is no such file.
    """
    files = sorted(path for path in folder.rglob("*.tflite") if path.is_file())
    if not files:
        raise DimmerError(f"{folder}: holds no .tflite file; name a folder of models")
    found = []
    for number, path in enumerate(files):
        name = path.relative_to(folder)
        share = part(progress, number / len(files), (number + 1) / len(files))
        share(str(name), 0.0)
        try:
            order = foreign_order([path], samples, reference=reference)
            # Beside "a.tflite" there may be a folder "a" of others, and a stage's folder holds nothing else.
            place = work / f"{name}.d"
            foreign_stage(order, [path], target, place, share).run()
            found.append(_figures(str(name), Firmware.load(place)))
        except DimmerError as error:
            found.append(Surveyed(str(name), REFUSED, reason=_without(str(error), path.name)))
    return found


def _figures(name: str, made: Firmware) -> Surveyed:
    (mode,) = made.modes
    result, reason = (WRONG, f"{made.mismatches} results differ") if made.mismatches else (EXACT, "")
    flash = made.flash.total
    return Surveyed(name, result, mode.macs, mode.instructions, mode.cycles, made.ram.arena, flash, reason)


def _without(message: str, file: str) -> str:
    """A message without the file's name, which stands beside it."""
    return message.split("\n", 1)[0].removeprefix(f"{file}: ")


def survey_page(
    rows: Sequence[Surveyed], target: str, samples: int, command: str, reference: Reference = Reference.LITERT
) -> str:
    """A page of Markdown.

    Args:
        command: what writes it again.
    """
    exact = sum(row.result == EXACT for row in rows)
    lines = [
        "# Models",
        "",
        f"What becomes of {len(rows)} `.tflite` files on {target}: {exact} run with the results of "
        f"{reference.title}'s reference kernels, bit for bit, on {samples} inputs each. Written by `{command}`; "
        "cycles are modelled where the target does not measure them ([cycles.md](cycles.md)), flash is that of a whole "
        "program.",
        "",
        "The files belong to other people and are not part of Dimmer; the command makes such a page of any folder.",
        "",
        "| file | result | MACs | instructions | cycles | arena | flash | reason |",
        "|---|---|---:|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        counts = (row.macs, row.instructions, row.cycles, row.arena, row.flash)
        numbers = " | ".join("-" if count is None else f"{count:,}" for count in counts)
        lines.append(f"| {_cell(row.file)} | {row.result} | {numbers} | {_cell(row.reason) or '-'} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
