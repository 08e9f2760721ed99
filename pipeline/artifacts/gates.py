# SPDX-License-Identifier: Apache-2.0
"""Trained gates, as torch and as integers."""

from __future__ import annotations

from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.firmware_gen.gates import GateSet
from dimmer.pipeline.artifacts.checkpoint import load_tensors, misfit
from dimmer.pipeline.artifacts.trained import find_gates
from dimmer.pipeline.networks.gates.network import Gates
from dimmer.pipeline.recipe.recipe import Recipe


def load_gates(recipe: Recipe, path: Path | None = None) -> Gates:
    """The trained gates, in eval mode on the CPU.

    Raises:
        DimmerError: there are none, or those of another network.
    """
    path = path or find_gates(recipe)
    tensors, _ = load_tensors(path)
    gates = Gates(recipe.model.config, recipe.gates.config())
    if why := misfit(gates, tensors):
        raise DimmerError(f"{path} holds other gates than {recipe.path} describes ({why}); train them again")
    gates.load_state_dict(tensors)
    return gates.eval()


def recipe_gates(recipe: Recipe, build: Path | None = None) -> GateSet | None:
    """The trained gates as integers, where the recipe has gates.

    Args:
        build: as of `find_gates`.

    Raises:
        DimmerError: they were not trained.
    """
    if not recipe.gates.epochs:
        return None
    from dimmer.pipeline.networks.gates.integer import integer_gates

    return integer_gates(load_gates(recipe, find_gates(recipe, build)), recipe.model.config)
