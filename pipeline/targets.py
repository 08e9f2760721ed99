# SPDX-License-Identifier: Apache-2.0
"""The targets that can be built for.

python -m pipeline.targets
python -m pipeline.targets --tflite network.tflite
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dimmer.errors import DimmerError
from dimmer.pipeline.core.command import complete_models, complete_targets, console, main_of
from dimmer.pipeline.core.debian import missing_tools
from dimmer.pipeline.core.extras import missing_packages
from dimmer.targets import Memory, Target, find_target, load_target, target_names

if TYPE_CHECKING:
    from dimmer.pipeline.image.order import Order


def main(
    path: Annotated[
        str | None,
        typer.Option("--path", help="Only say where this target's file lies.", autocompletion=complete_targets),
    ] = None,
    tflite: Annotated[list[Path] | None, typer.Option("--tflite", help="Say also where this network fits.")] = None,
    model: Annotated[
        str | None, typer.Option("--fits", help="Say also where this model fits.", autocompletion=complete_models)
    ] = None,
) -> None:
    """List the targets, the project's and Dimmer's own, and what they need that is not here."""
    if path is not None:
        print(find_target(path))
        return
    from rich.table import Table

    from dimmer.pipeline.image.fit import verdict

    order = _order(model, tflite)
    asked = [] if order is None else [f"{order.name} fits"]
    table = Table("target", "core", "flash", "RAM", "runs on", "flashed by", *asked, "missing", "description")
    for name in target_names():
        try:
            target = load_target(name)
        except DimmerError as error:
            table.add_row(name, *("-" for _ in range(len(table.columns) - 2)), str(error))
            continue
        missing = [*sorted(set(missing_tools(target.tools).values())), *missing_packages(target.distributions)]
        fits = [] if order is None else [verdict(order, target)]
        ways = ", ".join(way.tool for way in target.flash.each) or "-"
        row = (target.core, *_sizes(target.memory), _runner(target), ways, *fits, ", ".join(missing) or "nothing")
        table.add_row(name, *row, target.description)
    console().print(table)


def _order(model: str | None, tflite: list[Path] | None) -> Order | None:
    """What is to fit; None where nothing was named. A .tflite needs none of the packages that a recipe does."""
    from dimmer.pipeline.image.order import converted_order, foreign_order

    if tflite:
        return foreign_order(tflite)
    if model is None:
        return None
    from dimmer.pipeline.artifacts.context import build_folder
    from dimmer.pipeline.artifacts.converted import converted_folder
    from dimmer.pipeline.artifacts.gates import recipe_gates
    from dimmer.pipeline.recipe.recipe import load_recipe

    recipe = load_recipe(model)
    return converted_order(recipe.name, converted_folder(build_folder(recipe)), recipe_gates(recipe))


def _sizes(memory: Memory | None) -> tuple[str, str]:
    if memory is None:
        return "-", "-"
    ram = sum(region.size for region in (memory.ram, memory.arena) if region is not None)
    return f"{memory.kept >> 10:,} KiB", f"{ram >> 10:,} KiB"


def _runner(target: Target) -> str:
    if target.counts_cycles:
        return "RTL"
    first = target.runner.command[0]
    return {"{elf}": "itself", "{twin}": "board, twin"}.get(first, first)


if __name__ == "__main__":
    main_of(main)
