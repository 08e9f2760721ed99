# SPDX-License-Identifier: Apache-2.0
"""Whether the C of a build is still that of the recipe's weights and data."""

from __future__ import annotations

from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.converted import converted_folder
from dimmer.pipeline.artifacts.exported import exported_folder
from dimmer.pipeline.artifacts.trained import find_checkpoint
from dimmer.pipeline.core.contents import content_hash
from dimmer.pipeline.core.made import made_of
from dimmer.pipeline.data.registry import dataset_hash
from dimmer.pipeline.recipe.recipe import Recipe


def check_current(recipe: Recipe, build: Path, folder: Path) -> None:
    """That C was generated of the weights and of the data that a recipe has now.

    Args:
        folder: with the C, as the stage `firmware` leaves it.

    Raises:
        DimmerError: it was not: the model was trained again since, or its data or features are others.
    """
    checkpoint, converted, exported = find_checkpoint(recipe, build), converted_folder(build), exported_folder(build)
    command = f"type dimmer build --target host --model {recipe.name}"
    chain = ((folder, converted), (converted, exported), (exported, checkpoint))
    if not all(_is_of(made, source) for made, source in chain):
        raise DimmerError(f"the C in {folder} is not of the weights in {checkpoint}: {command}")
    found = made_of(folder)
    if found is None or found.contents.get("data") != dataset_hash(recipe.source):
        raise DimmerError(f"the C in {folder} is of other data or features than {recipe.path} has now: {command}")


def _is_of(made: Path, source: Path) -> bool:
    """Whether a stage's folder was made of a file or folder as it is now."""
    found = made_of(made)
    return found is not None and source.exists() and content_hash(source) in found.inputs
