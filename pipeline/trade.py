# SPDX-License-Identifier: Apache-2.0
"""What speed costs in RAM: a model's firmware at several limits of scratch, counted on the target.

python -m pipeline.trade --tflite network.tflite --target mps2-an386
python -m pipeline.trade --model cifar10-r14 --target mps2-an386

One of the limits then goes into target.toml, or to `pipeline.firmware` and `pipeline.build` as --scratch-limit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.artifacts.converted import converted_folder
from dimmer.pipeline.artifacts.cycles import cycles_lines, cycles_text
from dimmer.pipeline.core.command import console, main_of, model_option, progress_bar, target_option
from dimmer.pipeline.core.targets import equipped_firmware_target
from dimmer.pipeline.image.order import Order, converted_order, foreign_order
from dimmer.pipeline.image.trade import trades
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.targets.timing.run import guess_of


def main(
    target: Annotated[str, target_option] = "mps2-an386",
    tflite: Annotated[list[Path] | None, typer.Option("--tflite", help="A .tflite file; repeat for modes.")] = None,
    model: Annotated[str, model_option] = "mnist5k-r14",
) -> None:
    """Print what less scratch costs in instructions, and what it saves."""
    from rich.table import Table

    chosen = equipped_firmware_target(target)
    order = foreign_order(tflite, samples=0) if tflite else _order_of(model)
    with progress_bar("trade") as progress:
        rows = trades(order, chosen, progress)
    table = Table(title=f"{order.name} on {chosen.name}, whose scratch_limit is {chosen.scratch_limit:,}")
    names = [mode.name[:24] for mode in order.modes]
    if any(row.cycles for row in rows):
        names = [*(f"{name}, instructions" for name in names), *(f"{name}, cycles" for name in names)]
    for heading in ("scratch limit", "arena", "+ stack", "code", *names):
        table.add_column(heading, justify="right")
    for row in rows:
        counts = [f"{count:,}" for count in row.instructions] or ["does not fit"]
        counts += map(cycles_text, row.cycles)
        table.add_row(
            f"{row.scratch_limit:,}", f"{row.arena:,}", f"{row.arena + row.stack:,}", f"{row.code:,}", *counts
        )
    console().print(table)
    for line in cycles_lines((one for row in rows for one in row.cycles), guess_of(chosen.name)):
        console().print(line, highlight=False, soft_wrap=True)


def _order_of(model: str) -> Order:
    from dimmer.pipeline.artifacts.gates import recipe_gates

    recipe = load_recipe(model)
    return converted_order(recipe.name, converted_folder(build_folder(recipe)), recipe_gates(recipe))


if __name__ == "__main__":
    main_of(main)
