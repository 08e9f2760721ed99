# SPDX-License-Identifier: Apache-2.0
"""Trained weights and gates, found where they are shipped or trained."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.checkpoint import gates_folder, save_tensors, training_folder
from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.artifacts.trained import find_checkpoint, find_gates, load_network, settings_note
from dimmer.pipeline.networks import build
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from tests.tiny import TINY


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """Not shipped, not trained."""
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path / "build"))
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "recipe.toml").write_text(TINY)
    return load_recipe(folder)


def test_what_is_shipped_comes_before_what_was_trained_here(recipe: Recipe) -> None:
    with pytest.raises(DimmerError, match=r"tiny has no trained weights; run: python -m pipeline\.train --model tiny"):
        find_checkpoint(recipe)
    with pytest.raises(DimmerError, match=r"tiny has no trained gates; run: python -m pipeline\.train_gates"):
        find_gates(recipe)
    trained = training_folder(build_folder(recipe)) / "checkpoint.safetensors"
    gates = gates_folder(build_folder(recipe)) / "gates.safetensors"
    for path in (trained, gates):
        path.parent.mkdir(parents=True)
        path.touch()
    assert (find_checkpoint(recipe), find_gates(recipe)) == (trained, gates)
    for name in ("checkpoint.safetensors", "gates.safetensors"):
        (recipe.path.parent / name).touch()
    assert find_checkpoint(recipe).parent == find_gates(recipe).parent == recipe.path.parent


def test_weights_of_another_network_are_refused(recipe: Recipe) -> None:
    network = build(recipe.model.family, recipe.model.config)
    path = recipe.path.parent / "checkpoint.safetensors"
    save_tensors(path, network.state_dict(), {})
    found = load_network(recipe)
    assert not found.training
    assert all(torch.equal(a, b) for a, b in zip(found.parameters(), network.parameters(), strict=True))
    config = recipe.model.config.widened((8, 8))
    wider = dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, config=config))
    with pytest.raises(DimmerError, match=r"checkpoint\.safetensors holds another network than .*recipe\.toml"):
        load_network(wider)


@pytest.mark.parametrize("key", ["own_classifier", "shared_norms"])
def test_a_network_for_experiments_goes_no_further(recipe: Recipe, key: str) -> None:
    text = recipe.path.read_text().replace("[train]\n", f"[train]\n{key} = true\n")
    recipe.path.write_text(text)
    with pytest.raises(DimmerError, match=rf"recipe\.toml: train\.{key}: such a network is only trained and measured"):
        load_network(load_recipe(recipe.path))


def test_a_shipped_checkpoint_of_other_settings_is_told(recipe: Recipe) -> None:
    home = recipe.path.parent
    assert settings_note(recipe) is None
    (home / "checkpoint.safetensors").touch()
    assert settings_note(recipe) is None
    another = dataclasses.replace(recipe, train=dataclasses.replace(recipe.train, seed=7))
    shipped = {"seeds": [7], "training_hash": another.training_hash(), "model": "tiny"}
    (home / "results.json").write_text(json.dumps(shipped))
    # A seed of the command line is not one of the recipe.
    assert settings_note(recipe) is None
    assert settings_note(load_recipe(home)) is None
    longer = dataclasses.replace(recipe, train=dataclasses.replace(recipe.train, epochs=99))
    note = settings_note(longer)
    assert note is not None
    assert "was trained with other settings than recipe.toml has now: it is used as it is; to train by them" in note
    (home / "results.json").write_text("{}")
    with pytest.raises(DimmerError, match=r"results\.json does not say what was trained \(.*\); ship the checkpoint"):
        settings_note(recipe)
