# SPDX-License-Identifier: Apache-2.0
"""Trained gates, read again."""

import dataclasses
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.gates import load_gates, recipe_gates
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
