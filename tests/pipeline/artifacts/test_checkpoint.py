"""Weights and their record in one file, found where they are trained or shipped."""

import dataclasses
from pathlib import Path

import pytest
import torch

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.checkpoint import (
    find_checkpoint,
    find_gates,
    gates_folder,
    load_network,
    load_tensors,
    save_tensors,
    teacher_folder,
    training_folder,
)
from dimmer.pipeline.artifacts.context import build_folder
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


def test_tensors_and_record_are_read_as_they_were_saved_in_the_same_bytes(tmp_path: Path) -> None:
    tensors, record = {"w": torch.arange(6.0).reshape(2, 3).T, "n": torch.tensor(3)}, {"b": [1, None], "a": {"c": 0.5}}
    save_tensors(tmp_path / "one", tensors, record)
    found, read = load_tensors(tmp_path / "one")
    assert read == record
    assert set(found) == set(tensors)
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)
    save_tensors(tmp_path / "two", found, dict(reversed(record.items())))
    assert (tmp_path / "two").read_bytes() == (tmp_path / "one").read_bytes()


@pytest.mark.parametrize("content", [None, b"", b"half", b"\x02\0\0\0\0\0\0\0{}"])
def test_what_is_no_checkpoint_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "w").write_bytes(content)
    with pytest.raises(DimmerError, match=r"is not a Dimmer checkpoint \(.*\); remove it and train again") as caught:
        load_tensors(tmp_path / "w")
    assert "\n" not in str(caught.value)


def test_folders_of_trainings_stand_side_by_side(tmp_path: Path) -> None:
    assert training_folder(tmp_path) == tmp_path / "train"
    assert training_folder(tmp_path, "super") == tmp_path / "train-alone-super"
    assert teacher_folder(training_folder(tmp_path)) == tmp_path / "train-teacher"


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
