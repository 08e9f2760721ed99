# SPDX-License-Identifier: Apache-2.0
"""Trained gates, as torch and as integers."""

from __future__ import annotations

from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.firmware_gen.gates import GateSet
from dimmer.pipeline.artifacts.checkpoint import load_tensors, misfit
from dimmer.pipeline.artifacts.gate_record import load_gate_record
from dimmer.pipeline.artifacts.trained import check_gates_deployable, find_checkpoint, find_gates
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


def built_gates(recipe: Recipe, build: Path | None = None) -> Gates:
    """The trained gates that a build puts in front of the recipe's network, which they were trained with.

    Args:
        build: as of `find_gates`.

    Raises:
        DimmerError: there are none, or they chose for another network when they were trained.
    """
    check_gates_deployable(recipe)
    path, checkpoint = find_gates(recipe, build), find_checkpoint(recipe, build)
    if load_gate_record(path).run.backbone != load_tensors(checkpoint)[1].get("run"):
        again = f"remove them, and train them again: python -m pipeline.train_gates --model {recipe.name}"
        raise DimmerError(f"{path}: these gates learnt to choose for another network than {checkpoint} is; {again}")
    return load_gates(recipe, path)


def recipe_gates(recipe: Recipe, build: Path | None = None) -> GateSet | None:
    """The trained gates as integers, where the recipe has gates.

    Args:
        build: as of `find_gates`.

    Raises:
        DimmerError: as `built_gates`.
    """
    if not recipe.gates.epochs:
        return None
    from dimmer.pipeline.networks.gates.integer import integer_gates

    return integer_gates(built_gates(recipe, build), recipe.model.config)
