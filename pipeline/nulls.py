# SPDX-License-Identifier: Apache-2.0
"""What bits per block and gates are worth: ``dimmer nulls --model NAME --report build/NAME/mps2-an386/report.json``.

Every mode of the report, and the trained gates at their budgets, beside time-sharing of uniform modes that
costs the same, in bit-operations and in the report's cycles; the gates beside permutations of their own choices.
Nothing is trained. Accuracies are those of the network in the training's arithmetic (docs/gates.md).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.checkpoint import GATES
from dimmer.pipeline.core.command import console, main_of, model_option, progress_bar
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from dimmer.pipeline.reporting.experiments.cycles import CycleCosts, read_cycles

if TYPE_CHECKING:
    from dimmer.pipeline.reporting.experiments.nulls import Against, InputValue


def main(
    model: Annotated[str, model_option] = "cifar10-r14",
    report: Annotated[Path | None, typer.Option(help="report.json of a build: its modes, and their cycles.")] = None,
    images: Annotated[int | None, typer.Option(min=2, help="Only the first test images.")] = None,
    permutations: Annotated[int, typer.Option(min=1, max=100, help="Of the gates' choices, for each budget.")] = 2,
    gates: Annotated[bool, typer.Option(help="Whether the gates are run, where the recipe has them.")] = True,
    trained: Annotated[
        list[Path] | None,
        typer.Option(
            "--trained", help="Folder of gates (train_gates --out), not the model's own; repeat: seeds have a mean."
        ),
    ] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="CPU threads.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write, not build/<model>/nulls.json.")] = None,
) -> None:
    """Compare modes and gates with time-sharing of uniform modes, and gates with their permuted choices."""
    import torch

    from dimmer.pipeline.artifacts.context import build_folder

    if threads:
        torch.set_num_threads(threads)
    recipe = load_recipe(model)
    files = [path / GATES if path.is_dir() else path for path in trained or ()]
    for path in files:
        if not path.is_file():
            raise DimmerError(f"--trained {path}: there are no gates; pipeline.train_gates --out FOLDER trains some")
    costs = None if report is None else read_cycles(report, recipe.name)
    with progress_bar("nulls") as progress:
        above, values = compare(recipe, costs, images, permutations if gates else 0, progress, files)
    path = out or build_folder(recipe) / "nulls.json"
    found = {
        "model": recipe.name,
        "images": images,
        "target": costs.target if costs else None,
        "time_sharing": [asdict(one) for one in above],
        "permuted": [asdict(one) for one in values],
    }
    atomic_write(path, json.dumps(found, indent=1) + "\n")
    print_nulls(above, values)
    print(path)


def compare(
    recipe: Recipe,
    costs: CycleCosts | None,
    images: int | None,
    permutations: int,
    progress: Progress,
    trained: Sequence[Path] = (),
) -> tuple[list[Against], list[InputValue]]:
    """Everything that the command tells; without gates where there are no permutations to draw."""
    from dimmer.pipeline.reporting.experiments.compared import compare_gates, compare_modes, subject_of

    subject = subject_of(recipe, images)
    above = compare_modes(subject, recipe, costs, progress)
    if not permutations or not (trained or recipe.gates.epochs):
        return above, []
    more, values = compare_gates(subject, recipe, costs, permutations, progress, trained)
    return above + more, values


def print_nulls(above: list[Against], values: list[InputValue]) -> None:
    """Two tables on the terminal."""
    from rich.table import Table

    table = Table("what", "cost", "unit", "test", "time-sharing", "above it, points", title="Against time-sharing")
    for one in above:
        mixture = ", ".join(f"{share:.0%} {name}" for name, share in one.mixture.items())
        cost = f"{one.cost:.3f}" if one.cost < 100 else f"{one.cost:,.0f}"
        table.add_row(one.name, cost, one.unit, f"{one.accuracy:.2f} %", mixture, str(one.above))
    console().print(table)
    table = Table("budget", "gated", "permuted", "value of the input, points", title="Against permuted choices")
    for value in values:
        which = f", {value.gates}" if value.gates else ""
        table.add_row(
            f"{value.budget:g}{which}", f"{value.accuracy:.2f} %", f"{value.permuted:.2f} %", str(value.gained)
        )
    if values:
        console().print(table)


if __name__ == "__main__":
    main_of(main)
