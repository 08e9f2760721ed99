# SPDX-License-Identifier: Apache-2.0
"""Trained gates, read again."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.checkpoint import load_tensors, save_tensors
from dimmer.pipeline.artifacts.gates import built_gates, load_gates, recipe_gates
from dimmer.pipeline.artifacts.sums import list_sum
from dimmer.pipeline.recipe.recipe import load_recipe


def test_the_shipped_gates_are_those_of_the_recipe_and_become_integers() -> None:
    recipe = load_recipe("cifar10-r14")
    gates = load_gates(recipe)
    assert not gates.training
    integers = recipe_gates(recipe)
    assert integers is not None
    assert [len(stage) for stage in integers.stages] == [2, 2, 2]
    assert integers.blocks[0].options == (8, 4, 2)


def test_a_model_without_gates_has_none() -> None:
    assert recipe_gates(load_recipe("mnist5k-r14")) is None


def test_gates_of_another_shape_are_refused(tmp_path: Path) -> None:
    recipe = load_recipe("cifar10-r14")
    other = dataclasses.replace(recipe, gates=dataclasses.replace(recipe.gates, hidden=8))
    with pytest.raises(
        DimmerError, match=r"gates\.safetensors holds other gates than .* describes \(.*\); train them again"
    ):
        load_gates(other)
    lost = dataclasses.replace(recipe, name="lamp", path=tmp_path / "recipe.toml")
    with pytest.raises(DimmerError, match=r"lamp has no trained gates; run: python -m pipeline\.train_gates"):
        load_gates(lost)


def test_gates_of_another_network_are_not_built(tmp_path: Path) -> None:
    """The backbone was trained again, or is another seed's: bits agree, and nothing else tells."""
    shipped = load_recipe("cifar10-r14").path.parent
    home = tmp_path / "cifar10-r14"
    home.mkdir()
    for name in ("recipe.toml", "checkpoint.safetensors", "gates.safetensors", "SHA256SUMS"):
        shutil.copy(shipped / name, home)
    recipe = load_recipe(home)
    assert not built_gates(recipe).training
    tensors, record = load_tensors(home / "checkpoint.safetensors")
    other = {**record, "run": {**record["run"], "training": "0" * 64}}
    save_tensors(home / "checkpoint.safetensors", tensors, other)
    list_sum(home / "checkpoint.safetensors")
    with pytest.raises(DimmerError, match=r"learnt to choose for another network than .*; remove them, and train them"):
        recipe_gates(recipe)


def test_gates_that_learnt_with_their_backbone_are_not_built() -> None:
    recipe = load_recipe("cifar10-r14")
    joint = dataclasses.replace(recipe, gates=dataclasses.replace(recipe.gates, backbone_lr=0.01))
    with pytest.raises(DimmerError, match=r"recipe\.toml: gates\.backbone_lr: .* not built; set it to 0"):
        built_gates(joint)
