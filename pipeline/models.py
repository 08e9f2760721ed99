# SPDX-License-Identifier: Apache-2.0
"""The models that can be built.

python -m pipeline.models
"""

from __future__ import annotations

from typing import Annotated

import typer

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.trained import shipped_checkpoint
from dimmer.pipeline.core.command import complete_models, console, main_of
from dimmer.pipeline.recipe.recipe import find_recipe, load_recipe
from dimmer.project import model_names


def main(
    path: Annotated[
        str | None,
        typer.Option("--path", help="Only say where this model's recipe lies.", autocompletion=complete_models),
    ] = None,
) -> None:
    """List the models that have a recipe, the project's and Dimmer's own."""
    if path is not None:
        print(find_recipe(path))
        return
    from rich.table import Table

    table = Table("model", "network", "data", "weights", "recipe")
    for name in model_names():
        try:
            recipe = load_recipe(name)
        except DimmerError as error:
            table.add_row(name, "-", "-", "-", str(error))
            continue
        config = recipe.model.config
        blocks = sum(config.mandatory) + sum(config.skippable)
        weights = "shipped" if shipped_checkpoint(recipe).is_file() else "untrained"
        table.add_row(name, f"{recipe.model.family}, {blocks} blocks", recipe.model.dataset, weights, str(recipe.path))
    console().print(table)


if __name__ == "__main__":
    main_of(main)
