# SPDX-License-Identifier: Apache-2.0
"""What is shipped with a model."""

import dataclasses
import json
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import train as command
from dimmer.pipeline.artifacts.checkpoint import load_tensors
from dimmer.pipeline.artifacts.gates import load_gates
from dimmer.pipeline.artifacts.trained import find_checkpoint, find_gates, shipped_checkpoint
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.training.gate_loop import train_gates
from dimmer.pipeline.training.gate_settings import GateSettings
from dimmer.pipeline.training.loop import train
from dimmer.pipeline.training.settings import TrainingSettings, override
from dimmer.pipeline.training.ship import ship, ship_gates
from dimmer.project import MODELS
from tests.pipeline.training.small import narrow, polished, short, taught
from tests.tiny import silent


def test_shipping_copies_the_checkpoint_and_compares_with_networks_trained_alone(
    recipe: Recipe, tmp_path: Path
) -> None:
    recipe = override(recipe, epochs=1)
    build = tmp_path / "build" / "tiny"
    command.run(recipe, build, silent)
    command.run(recipe, build, silent, alone="base")
    shipped = ship(TrainingSettings.of(recipe), build / "train", build)
    assert shipped == shipped_checkpoint(recipe) == find_checkpoint(recipe)
    results = json.loads((recipe.path.parent / "results.json").read_text())
    assert results["networks"]["super"]["alone"] is None
    assert set(results["networks"]["base"]["alone"]) == {"val", "test"}
    assert results["networks"]["base"]["mode"] == "80.80"
    assert results["seeds"] == [1]
    assert [command.split("--seed 1 ")[1] for command in results["commands"]] == ["--alone base", "--ship"]


def test_networks_trained_alone_in_another_way_or_on_other_data_are_not_compared(
    settings: TrainingSettings, tmp_path: Path
) -> None:
    build = tmp_path / "build" / "tiny"
    train(settings, build / "train", data="one")
    for data, compared in (("one", True), ("two", False)):
        train(dataclasses.replace(settings, alone="super"), build / "train-alone-super", data=data)
        ship(settings, build / "train", build)
        results = json.loads(settings.path.with_name("results.json").read_text())
        assert (results["networks"]["super"]["alone"] is not None) == compared


def test_a_network_trained_alone_is_not_shipped(settings: TrainingSettings, tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match="train it without --alone"):
        ship(dataclasses.replace(settings, alone="super"), tmp_path, tmp_path)


def test_shipping_keeps_the_float_training_that_a_narrow_one_went_on_from(
    settings: TrainingSettings, tmp_path: Path
) -> None:
    folder, build = settings.path.parent, tmp_path / "build" / "tiny"
    train(settings, build / "train")
    ship(settings, build / "train", build)
    before = json.loads((folder / "results.json").read_text())
    for start in (folder / "checkpoint.safetensors", folder / "float.safetensors"):
        train(narrow(settings), tmp_path / "narrow", start=start)
        ship(narrow(settings), tmp_path / "narrow", build, start)
        results = json.loads((folder / "results.json").read_text())
        assert results["float"] == before
        (command,) = results["commands"]
        assert command.endswith(f"--start models/{settings.name}/float.safetensors")
        assert set(results["networks"]) == {"super", "base", "super-4", "base-4", "super-2", "base-2"}
    assert load_tensors(folder / "float.safetensors")[1]["run"]["training"] == before["training_hash"]


def test_results_tell_teacher_polish_and_networks_trained_alone_before_it(
    settings: TrainingSettings, tmp_path: Path
) -> None:
    build_folder = tmp_path / "build" / "tiny"
    settings = taught(polished(settings))
    train(settings, build_folder / "train")
    train(dataclasses.replace(settings, alone="super"), build_folder / "train-alone-super")
    ship(settings, build_folder / "train", build_folder)
    results = json.loads(settings.path.with_name("results.json").read_text())
    assert results["networks"]["super"]["alone"] is not None
    assert results["polish_epochs"] == 1
    assert results["devices"] == ["cpu"]
    assert results["teacher"]["widths"] == [8, 16]
    assert set(results["teacher"]) == {"widths", "epochs", "val", "test"}
    shipped = json.loads((MODELS / "cifar10-r14" / "results.json").read_text())
    assert list(results) == list(shipped)
    assert results["networks"]["super"].keys() == shipped["networks"]["super"].keys()


@pytest.mark.usefixtures("gratings")
def test_shipped_gates_come_with_what_was_measured(backbone: tuple[Recipe, Path], tmp_path: Path) -> None:
    trained, checkpoint = backbone
    (tmp_path / "tiny").mkdir()
    recipe = dataclasses.replace(trained, path=tmp_path / "tiny" / "recipe.toml")
    settings = short(GateSettings.of(recipe))
    train_gates(settings, tmp_path / "gates", checkpoint=checkpoint)
    shipped = ship_gates(settings, tmp_path / "gates")
    assert shipped == find_gates(recipe)
    assert load_gates(recipe).config == recipe.gates.config()
    results = json.loads((tmp_path / "tiny" / "gates.json").read_text())
    assert [line["budget"] for line in results["budgets"]] == [0.5]
    assert results["commands"] == ["python -m pipeline.train_gates --model tiny --threads 1 --seed 1 --ship"]
    known = json.loads((MODELS / "cifar10-r14" / "gates.json").read_text())
    assert results.keys() == known.keys()
    assert results["budgets"][0].keys() == known["budgets"][0].keys()
    joint = dataclasses.replace(settings, gates=dataclasses.replace(settings.gates, backbone_lr=0.01))
    with pytest.raises(DimmerError, match=r"gates\.backbone_lr: these gates belong to a backbone of their own"):
        ship_gates(joint, tmp_path / "gates")
