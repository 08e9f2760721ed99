# SPDX-License-Identifier: Apache-2.0
"""Whole trainings: what they leave, interruptions, the teacher, narrow widths."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.checkpoint import load_tensors, save_tensors
from dimmer.pipeline.artifacts.trained import find_checkpoint, load_network
from dimmer.pipeline.networks.layers.limits import MIN_GAMMA
from dimmer.pipeline.networks.measure import accuracy
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.training.loop import train
from dimmer.pipeline.training.settings import TrainingSettings, override
from tests.pipeline.training.small import bright_or_dark, changed, narrow, polished, taught, with_config, with_train


def assert_same_bytes_when_interrupted(settings: TrainingSettings, tmp_path: Path, at: float) -> list[float]:
    """Returns the shares that the second half told."""
    whole = train(settings, tmp_path / "whole").read_bytes()

    def interrupt(text: str, share: float) -> None:
        if share > at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(settings, tmp_path / "cut", progress=interrupt)
    assert not (tmp_path / "cut" / "checkpoint.safetensors").exists()
    told: list[float] = []
    resumed = train(settings, tmp_path / "cut", progress=lambda text, share: told.append(share))
    assert resumed.read_bytes() == whole
    return told


def test_training_learns_and_writes_checkpoint_and_history(
    recipe: Recipe, settings: TrainingSettings, tmp_path: Path
) -> None:
    seen: list[float] = []
    path = train(settings, tmp_path / "out", progress=lambda text, share: seen.append(share))
    assert path == tmp_path / "out" / "checkpoint.safetensors"
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    network = load_network(recipe, path)
    assert not network.training
    history = json.loads((tmp_path / "out" / "history.json").read_text())
    assert [line["epoch"] for line in history["history"]] == [1, 2, 3]
    for name, mode in (("super", network.super_mode()), ("base", network.base_mode())):
        assert history["accuracy"][name]["test"] == accuracy(network, bright_or_dark().test, mode) >= 90
    gammas = [m.weight.min() for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert min(gammas) >= MIN_GAMMA
    assert not (tmp_path / "out" / "state.safetensors").exists()


def test_the_files_have_the_keys_that_others_read(settings: TrainingSettings, tmp_path: Path) -> None:
    record = load_tensors(train(with_train(settings, epochs=1), tmp_path))[1]
    history = json.loads((tmp_path / "history.json").read_text())
    assert list(history) == ["run", "seed", "epochs", "torch", "devices", "accuracy", "history"]
    assert record == {key: value for key, value in history.items() if key != "history"}
    assert list(record["run"]) == ["alone", "model", "training"]
    assert set(record["accuracy"]["super"]) == {"val", "test"}
    line = history["history"][0]
    losses, measured = ["epoch", "lr", "loss_super", "loss_base"], ["val_super", "val_base", "seconds"]
    assert list(line) == [*losses, *measured, "val_narrow", "device", "torch"]
    assert line["torch"] == record["torch"] == torch.__version__


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_an_interrupted_training_ends_in_the_same_bytes(
    settings: TrainingSettings, tmp_path: Path, precision: str
) -> None:
    told = assert_same_bytes_when_interrupted(with_train(settings, precision=precision), tmp_path, 0.75)
    assert told[0] > 2 / 3, "the first two epochs are not done again"


@pytest.mark.parametrize("at", [0.78, 0.9])
def test_an_interrupted_polish_ends_in_the_same_bytes(settings: TrainingSettings, tmp_path: Path, at: float) -> None:
    assert_same_bytes_when_interrupted(polished(settings, epochs=2), tmp_path, at)


@pytest.mark.parametrize("at", [0.8, 0.95])
def test_interrupted_epochs_of_widths_with_a_frozen_network_end_in_the_same_bytes(
    settings: TrainingSettings, tmp_path: Path, at: float
) -> None:
    assert_same_bytes_when_interrupted(narrow(settings, epochs=2, frozen=True, sampled=2), tmp_path, at)


def test_a_finished_training_is_not_repeated_but_another_recipe_is(recipe: Recipe, tmp_path: Path) -> None:
    path = train(TrainingSettings.of(recipe), tmp_path)
    before = path.stat().st_mtime_ns
    assert train(TrainingSettings.of(recipe), tmp_path).stat().st_mtime_ns == before
    other = override(recipe, seed=9, epochs=1)
    assert train(TrainingSettings.of(other), tmp_path).stat().st_mtime_ns != before
    assert load_tensors(path)[1]["seed"] == 9


def test_replaced_data_are_trained_anew(settings: TrainingSettings, tmp_path: Path) -> None:
    settings = taught(with_train(settings, epochs=1))
    path, teacher = tmp_path / "train" / "checkpoint.safetensors", tmp_path / "train-teacher" / "checkpoint.safetensors"

    def runs(data: str) -> tuple[int, int]:
        train(settings, path.parent, data=data)
        assert load_tensors(path)[1]["run"].get("data", "") == data
        assert load_tensors(teacher)[1]["run"].get("data", "") == data
        return path.stat().st_mtime_ns, teacher.stat().st_mtime_ns

    first = runs("one")
    assert runs("one") == first
    assert not set(runs("two")) & set(first)
    assert not set(runs("")) & set(first)


def test_a_diverged_training_says_so(settings: TrainingSettings, tmp_path: Path) -> None:
    # More than a recipe may ask for, since what it may ask for seldom diverges within an epoch.
    wild = with_train(settings, lr=100.0)
    object.__setattr__(wild.train, "lr", 1e30)
    with pytest.raises(DimmerError, match=r"diverged in epoch 1; lower train\.lr in .*tiny.recipe\.toml"):
        train(wild, tmp_path)


def test_too_few_images_for_a_batch_are_told_with_the_recipe(settings: TrainingSettings, tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match=r"70 images, fewer than a batch of 71; lower train\.batch in .*recipe\.toml"):
        train(with_train(settings, batch=71), tmp_path)


def test_without_weights_the_error_names_the_command(recipe: Recipe) -> None:
    with pytest.raises(DimmerError, match=r"run: python -m pipeline\.train --model tiny"):
        find_checkpoint(recipe)


def test_a_damaged_or_foreign_checkpoint_is_named(recipe: Recipe, tmp_path: Path) -> None:
    path = train(TrainingSettings.of(override(recipe, epochs=1)), tmp_path)
    wider = dataclasses.replace(recipe, model=with_config(recipe.model, widths=(4, 16)))
    with pytest.raises(DimmerError, match="another network"):
        load_network(wider, path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DimmerError, match="is damaged"):
        load_network(recipe, path)


def test_narrow_widths_are_trained_after_the_float_epochs_and_start_from_their_norms(
    settings: TrainingSettings, tmp_path: Path
) -> None:
    checkpoint = train(narrow(settings), tmp_path / "out")
    tensors, record = load_tensors(checkpoint)
    history = json.loads((tmp_path / "out" / "history.json").read_text())["history"]
    assert [sorted(line["val_narrow"]) for line in history] == [[], [], [], ["2", "4"]]
    assert set(record["accuracy"]) == {"super", "base", "super-4", "base-4", "super-2", "base-2"}
    norms = [tensors[f"stages.0.0.norm1.of_bits.{bits}.executed.running_mean"] for bits in (8, 4, 2)]
    assert not torch.equal(norms[0], norms[1])
    assert not torch.equal(norms[1], norms[2])


def test_narrow_widths_can_start_from_a_finished_float_training(settings: TrainingSettings, tmp_path: Path) -> None:
    from_scratch = train(narrow(settings), tmp_path / "scratch")
    finished = train(settings, tmp_path / "float")
    begun = train(narrow(settings), tmp_path / "begun", start=finished)
    history = json.loads((tmp_path / "begun" / "history.json").read_text())["history"]
    assert len(history) == settings.train.epochs + 1
    assert set(load_tensors(begun)[0]) == set(load_tensors(from_scratch)[0])
    longer = with_train(narrow(settings), epochs=4)
    with pytest.raises(DimmerError, match=r"no float training of 4 epochs, as .*recipe\.toml asks for"):
        train(longer, tmp_path / "other", start=finished)
    with pytest.raises(DimmerError, match=r"--start is for models with narrow widths; .* is 0 in .*recipe\.toml"):
        train(settings, tmp_path / "float-again", start=finished)
    slower = with_train(narrow(settings), lr=settings.train.lr / 2)
    with pytest.raises(
        DimmerError, match=r"is of another \[model\], \[train\] or \[teacher\] than .*recipe\.toml has now"
    ):
        train(slower, tmp_path / "slower", start=finished)
    of_data = train(settings, tmp_path / "of-data", data="a")
    with pytest.raises(DimmerError, match=r"is of other data than .*recipe\.toml has now"):
        train(narrow(settings), tmp_path / "other-data", start=of_data, data="b")
    wider = narrow(dataclasses.replace(settings, model=with_config(settings.model, widths=(4, 16))))
    with pytest.raises(DimmerError, match=r"holds another network than .*recipe\.toml describes"):
        train(wider, tmp_path / "wider", start=finished)


def test_a_state_of_another_training_does_not_let_any_start_in(settings: TrainingSettings, tmp_path: Path) -> None:
    finished = train(with_train(settings, epochs=1), tmp_path / "float")

    def interrupt(text: str, share: float) -> None:
        if share > 0.75:
            raise KeyboardInterrupt

    cut = tmp_path / "cut"
    with pytest.raises(KeyboardInterrupt):
        train(narrow(with_train(settings, epochs=1), epochs=3), cut, start=finished, progress=interrupt)
    assert (cut / "state.safetensors").is_file()
    slower = narrow(with_train(settings, epochs=1, lr=settings.train.lr / 2), epochs=3)
    with pytest.raises(
        DimmerError, match=r"is of another \[model\], \[train\] or \[teacher\] than .*recipe\.toml has now"
    ):
        train(slower, cut, start=finished)


def test_a_training_that_starts_elsewhere_says_where_and_with_what_it_began(
    settings: TrainingSettings, tmp_path: Path
) -> None:
    finished = train(settings, tmp_path / "float")
    tensors, record = load_tensors(finished)
    save_tensors(finished, tensors, {**record, "devices": ["NVIDIA H200"], "torch": "1.0"})
    record = load_tensors(train(narrow(settings), tmp_path / "begun", start=finished))[1]
    assert record["devices"] == ["NVIDIA H200", "cpu"]
    assert record["torch"] == f"1.0, {torch.__version__}"


def test_epochs_of_norms_follow_the_others(settings: TrainingSettings, tmp_path: Path) -> None:
    checkpoint = train(narrow(settings, norm_epochs=1), tmp_path / "longer")
    history = json.loads((tmp_path / "longer" / "history.json").read_text())["history"]
    assert [line["epoch"] for line in history] == [1, 2, 3, 4, 5]
    shorter = load_tensors(train(narrow(settings), tmp_path / "shorter"))[0]
    after = load_tensors(checkpoint)[0]
    parameters = {n for n in changed(shorter, after) if n.endswith(("weight", "bias"))}
    assert parameters
    assert all(".of_bits.4." in name or ".of_bits.2." in name for name in parameters)


def test_a_teacher_is_trained_once_beside_the_trainings_that_it_serves(
    settings: TrainingSettings, tmp_path: Path
) -> None:
    train(taught(settings), tmp_path / "train")
    teacher = tmp_path / "train-teacher" / "checkpoint.safetensors"
    tensors, record = load_tensors(teacher)
    assert tensors["fc.weight"].shape == (10, 16)
    assert record["epochs"] == 1
    before = teacher.stat().st_mtime_ns
    train(dataclasses.replace(taught(settings), alone="base"), tmp_path / "train-alone-base")
    assert teacher.stat().st_mtime_ns == before


def test_a_training_with_every_later_key_ends_in_the_same_bytes_after_an_interruption(
    settings: TrainingSettings, tmp_path: Path
) -> None:
    keys = {"base_labels": 0.5, "base_start": 0.4, "mutual": 0.3, "own_classifier": True, "shared_norms": True}
    assert_same_bytes_when_interrupted(with_train(settings, **keys), tmp_path, 0.5)
