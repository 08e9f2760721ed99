# SPDX-License-Identifier: Apache-2.0
"""A built model on its test samples: ``python -m pipeline.eval --model NAME --mode 80.80.80``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.core.command import console, main_of, model_option
from dimmer.pipeline.core.together import together
from dimmer.pipeline.recipe.recipe import load_recipe

if TYPE_CHECKING:
    from dimmer.pipeline.core.scores import OutputScores, Scores

MOST_CLASSES = 20
"""A larger table of who is taken for whom fits no terminal; report.json has it."""


@together
def main(
    model: Annotated[str, model_option] = "mnist5k-r14",
    mode: Annotated[str | None, typer.Option("--mode", help="Of the model; the best one by default.")] = None,
) -> None:
    """Score a built model on its test samples by the C that the device runs, with the worst of them."""
    from rich.table import Table

    from dimmer.pipeline.verification.evaluation import evaluate

    recipe = load_recipe(model)
    name, found = evaluate(recipe, build_folder(recipe), mode)
    shown, scores = console(), found.now.scores
    table = Table("score", "value", "95 %", title=f"{recipe.name}, {name}, {scores.samples:,} test samples")
    for figure in scores.figures:
        unit = f" {figure.unit}" if figure.unit else ""
        table.add_row(figure.name, f"{figure.value:.4g}{unit}", f"{figure.low:.4g} to {figure.high:.4g}")
    shown.print(table)
    of_all: tuple[Scores | OutputScores, ...] = (scores, *scores.outputs)
    for one in of_all:
        if one.confusion and len(one.classes) <= MOST_CLASSES:
            shown.print(_confusion(one))
    if found.now.worst:
        table = Table("sample", "is", "taken for", "by", title="The worst")
        for worst in found.now.worst:
            table.add_row(worst.name, worst.truth, worst.said, f"{worst.by:.3g}")
        shown.print(table)
    if line := found.compared():
        shown.print(line)


def _confusion(scores: Scores | OutputScores) -> object:
    from rich.table import Table

    from dimmer.pipeline.core.scores import OutputScores

    title = scores.name if isinstance(scores, OutputScores) else None
    table = Table("is \\ taken for", *scores.classes, title=title)
    for name, row in zip(scores.classes, scores.confusion, strict=True):
        table.add_row(name, *(str(count) if count else "." for count in row))
    return table


if __name__ == "__main__":
    main_of(main)
