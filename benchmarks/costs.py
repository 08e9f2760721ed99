# SPDX-License-Identifier: Apache-2.0
"""What the cost models expect of each layer's kernel, beside its counts and cycles: what models are fitted to.

python -m benchmarks.costs --tflite network.tflite --target mps2-an386
python -m benchmarks.costs --tflite network.tflite --target mps2-an385 --scratch-limit 51200 --scratch-limit 1024

Each limit of scratch leads to other kernels, and so to other lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from dimmer import children
from dimmer.pipeline.artifacts.cycles import cycles_lines, cycles_text
from dimmer.pipeline.artifacts.firmware import Firmware, Step
from dimmer.pipeline.core.command import console, main_of, progress_bar
from dimmer.pipeline.core.targets import load_firmware_target
from dimmer.pipeline.image.make import make
from dimmer.pipeline.image.order import foreign_order


@dataclass(frozen=True)
class Fit:
    """One layer with its kernel.

    Attributes:
        expected: as the kernel's cost model has it.
        step: what was counted.
    """

    expected: int
    step: Step


def fits(figures: Firmware) -> Iterator[Fit]:
    """Every layer that had a choice of kernels, each pair of layer and kernel once."""
    expected = {(choice.layer, choice.chosen.kernel): choice.chosen.instructions for choice in figures.choices}
    for step in figures.steps:
        cost = expected.pop((step.layer, step.kernel), None)
        if cost is not None:
            yield Fit(cost, step)


def print_fits(found: Sequence[Fit], title: str) -> None:
    """A line each."""
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for heading in ("layer", "kernel", "expected", "instructions", "ratio", "cycles", "ratio"):
        table.add_column(heading, justify="left" if heading in ("layer", "kernel") else "right")
    for fit in found:
        step = fit.step
        table.add_row(
            step.layer[-20:],
            step.kernel.removeprefix("dimmer_"),
            f"{fit.expected:,}",
            "-" if step.instructions is None else f"{step.instructions:,}",
            _ratio(step.instructions, fit.expected),
            cycles_text(step),
            _ratio(step.cycles, fit.expected),
        )
    console().print(table)
    for line in cycles_lines(fit.step for fit in found):
        print(line)


def _ratio(count: int | None, expected: int) -> str:
    return "-" if count is None or expected == 0 else f"{count / expected:.2f}"


def main(
    tflite: Annotated[Path, typer.Option("--tflite", help="A .tflite file.")],
    target: Annotated[str, typer.Option("--target", help="A folder under targets/.")] = "mps2-an386",
    scratch_limit: Annotated[
        list[int] | None, typer.Option("--scratch-limit", min=0, help="Bytes; repeat for more. The target's.")
    ] = None,
) -> None:
    """Print what cost models expect beside what is counted."""
    chosen = load_firmware_target(target)
    found: dict[tuple[str, str], Fit] = {}
    with progress_bar("costs") as progress:
        for limit in scratch_limit or [chosen.scratch_limit]:
            with children.scratch() as work:
                order = foreign_order([tflite], samples=0)
                figures = make(order, replace(chosen, scratch_limit=limit), work, progress)
            for fit in fits(figures):
                found.setdefault((fit.step.layer, fit.step.kernel), fit)
    print_fits(list(found.values()), f"{tflite.stem} on {chosen.name}: expected by the cost models, and counted")


if __name__ == "__main__":
    main_of(main)
