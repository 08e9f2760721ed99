# SPDX-License-Identifier: Apache-2.0
"""A model's trained weights and gates: shipped beside its recipe, or trained here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.checkpoint import CHECKPOINT, GATES, gates_folder, read_network, training_folder
from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.core.documents import parse_document

if TYPE_CHECKING:
    from dimmer.pipeline.networks import Network
    from dimmer.pipeline.recipe.recipe import Recipe


RESULTS = "results.json"
"""What was measured of a checkpoint that ships, beside it."""


@dataclass(frozen=True)
class Shipped:
    """What of `RESULTS` tells whether it is of the recipe's settings.

    Attributes:
        seeds: of the trainings.
        training_hash: of the sections that the checkpoint depends on.
    """

    seeds: tuple[int, ...]
    training_hash: str


def shipped_checkpoint(recipe: Recipe) -> Path:
    """Where a model's trained weights lie if they come with the repository."""
    return recipe.path.parent / CHECKPOINT


def settings_note(recipe: Recipe) -> str | None:
    """What a report says where the shipped checkpoint is of other settings than the recipe has now.

    Returns:
        None where they are the same but for the seed, where nothing is shipped, and where ``results.json`` beside it
        does not tell.

    Raises:
        DimmerError: ``results.json`` is damaged.
    """
    path = recipe.path.with_name(RESULTS)
    if not shipped_checkpoint(recipe).is_file() or not path.is_file():
        return None
    try:
        shipped = parse_document(Shipped, path.read_text())
    except ValueError as error:
        raise DimmerError(f"{path} does not say what was trained ({error}); ship the checkpoint anew") from error
    for seed in shipped.seeds:
        if replace(recipe, train=replace(recipe.train, seed=seed)).training_hash() == shipped.training_hash:
            return None
    other = f"{shipped_checkpoint(recipe)} was trained with other settings than {recipe.path.name} has now"
    return f"{other}: it is used as it is; to train by them, move it and {RESULTS} away"


def find_checkpoint(recipe: Recipe, build: Path | None = None) -> Path:
    """The shipped checkpoint, else the one trained here.

    Args:
        build: of a build that lies elsewhere than `build_folder` says, such as a forecast's.

    Raises:
        DimmerError: there is neither.
    """
    for path in (shipped_checkpoint(recipe), training_folder(build or build_folder(recipe)) / CHECKPOINT):
        if path.is_file():
            return path
    raise DimmerError(f"{recipe.name} has no trained weights; run: python -m pipeline.train --model {recipe.name}")


def shipped_gates(recipe: Recipe) -> Path:
    """Where a model's trained gates lie if they come with the repository."""
    return recipe.path.parent / GATES


def find_gates(recipe: Recipe, build: Path | None = None) -> Path:
    """The shipped gates, else those trained here.

    Args:
        build: as of `find_checkpoint`.

    Raises:
        DimmerError: there are neither.
    """
    for path in (shipped_gates(recipe), gates_folder(build or build_folder(recipe)) / GATES):
        if path.is_file():
            return path
    raise DimmerError(f"{recipe.name} has no trained gates; run: python -m pipeline.train_gates --model {recipe.name}")


def load_network(recipe: Recipe, checkpoint: Path | None = None) -> Network:
    """The trained adaptive network, in eval mode on the CPU.

    Args:
        recipe: of the model.
        checkpoint: a file to read instead of the one that ``find_checkpoint`` finds.

    Raises:
        DimmerError: no checkpoint, one of another network, or a network for experiments alone.
    """
    check_deployable(recipe)
    return read_network(recipe.model, checkpoint or find_checkpoint(recipe), recipe.path)


def check_deployable(recipe: Recipe) -> None:
    """Whether the recipe's network is one that can be calibrated, exported and put on a device.

    Raises:
        DimmerError: it is one for experiments alone; the message names the key.
    """
    for key in ("own_classifier", "shared_norms"):
        if getattr(recipe.train, key):
            why = "only trained and measured (dimmer experiment), not deployed"
            raise DimmerError(f"{recipe.path}: train.{key}: such a network is {why}; set it to false and train again")


def check_gates_deployable(recipe: Recipe) -> None:
    """Whether the recipe's gates are such as a build takes.

    Raises:
        DimmerError: their backbone learns with them, and a build has the recipe's network.
    """
    if recipe.gates.epochs and recipe.gates.backbone_lr > 0:
        why = "gates whose backbone learns with them are compared (dimmer nulls --trained), not built"
        raise DimmerError(f"{recipe.path}: gates.backbone_lr: {why}; set it to 0, or [gates] epochs to 0")
