# SPDX-License-Identifier: Apache-2.0
"""A model's data: counts, what is left out, what the device will see: ``python -m pipeline.dataset --model NAME``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.core.command import console, main_of, model_option
from dimmer.pipeline.data.own import OwnData
from dimmer.pipeline.data.packed import heads_of, is_packed
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.recipe.recipe import load_recipe

if TYPE_CHECKING:
    from dimmer.pipeline.data.dataset import Dataset
    from dimmer.pipeline.data.prepare import Facts

SHOWN = 20
"""So many files that were left out are named on the terminal; problems.txt has all."""


def main(
    model: Annotated[str, model_option] = "mnist5k-r14",
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write to, instead of build/<model>/dataset.")
    ] = None,
) -> None:
    """Show a model's data: counts, what is left out and why, and samples as the device will see them."""
    from dimmer.pipeline.reporting.data_pages import write_pages

    recipe = load_recipe(model)
    data, facts = load_dataset(recipe.source), None
    if isinstance(recipe.source, OwnData):
        from dimmer.pipeline.data.prepare import prepared

        facts = prepared(recipe.source).facts
    _print_counts(recipe.name, data)
    if facts is not None:
        _print_facts(facts)
    for path in write_pages(data, facts, out or build_folder(recipe) / "dataset"):
        print(path)


def _print_counts(name: str, data: Dataset) -> None:
    from rich.table import Table

    shapes = data.inputs or (data.image_shape,)
    shape = ", ".join(" x ".join(map(str, one)) for one in shapes)
    splits = {"train": data.train, "val": data.val, "test": data.test}
    table = Table("", *splits, "share", title=f"{name}: {shape}, uint8")
    total = sum(map(len, splits.values()))
    for number, one in enumerate(data.classes):
        counts = [_count(split.labels, number) for split in splits.values()]
        table.add_row(one, *(f"{count:,}" for count in counts), f"{100 * sum(counts) / total:.1f} %")
    table.add_row("samples", *(f"{len(split):,}" for split in splits.values()), f"{total:,}", style="bold")
    console().print(table)


def _count(labels: np.ndarray[tuple[int, ...], np.dtype[np.generic]], number: int) -> int:
    """Samples of a class, or with a label; of values those that have one; of what is normal, or not."""
    if labels.dtype == np.int8:
        return int((labels[:, 0] == number).sum())
    if is_packed(labels):
        head = next(head for head in heads_of(labels[0]) if number < head.first + head.elements)
        return _count(head.truth(labels), number - head.first)
    if labels.ndim == 1:
        return int((labels == number).sum())
    return int(labels[:, number].sum()) if labels.dtype == np.uint8 else len(labels)


def _print_facts(facts: Facts) -> None:
    for problem in facts.problems[:SHOWN]:
        print(f"left out: {problem}")
    if len(facts.problems) > SHOWN:
        print(f"left out: {len(facts.problems) - SHOWN:,} more, see problems.txt")
    for which, scale in [("", facts.scale), *((f" of input {n}", one) for n, one in enumerate(facts.inputs))]:
        if scale is not None:
            pairs = list(dict.fromkeys(zip(scale.offset, scale.step, strict=True)))
            told = ", ".join(f"{offset:.4g} and {step:.4g}" for offset, step in pairs)
            print(f"code{which} = (value - offset) / step: {told}")


if __name__ == "__main__":
    main_of(main)
