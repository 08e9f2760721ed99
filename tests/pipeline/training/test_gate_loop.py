# SPDX-License-Identifier: Apache-2.0
"""Training of the gates: costs follow the budget, the backbone stays as it was, an interrupted run ends the same."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.checkpoint import load_tensors
from dimmer.pipeline.artifacts.gate_record import load_gate_record
from dimmer.pipeline.artifacts.gates import load_gates
from dimmer.pipeline.artifacts.trained import load_network
from dimmer.pipeline.data.dataset import Dataset
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.training.gate_loop import train_gates
from dimmer.pipeline.training.gate_settings import GateSettings
from dimmer.project import MODELS
from tests.pipeline.training.small import short

pytestmark = pytest.mark.usefixtures("gratings")


@pytest.mark.slow
def test_costs_follow_the_budget(backbone: tuple[Recipe, Path], tmp_path: Path) -> None:
    recipe, checkpoint = backbone
    before = checkpoint.read_bytes()
    path = train_gates(GateSettings.of(recipe), tmp_path / "out", checkpoint=checkpoint)
    record = load_tensors(path)[1]
    costs = [line["test"]["cost"] for line in record["budgets"]]
    assert costs == sorted(costs, reverse=True)
    for line, cost in zip(record["budgets"], costs, strict=True):
        assert cost == pytest.approx(line["budget"], rel=0.4)
    for line in record["budgets"]:
        static = line["static"]
        assert static["cost"] <= line["val"]["cost"] or static["mode"] == "20.20"
        assert set(static) - {"recalibrated"} == {"mode", "cost", "test"}
    assert [line["mode"] for line in record["uniform"]] == ["88.88", "80.80", "44.44", "40.40", "22.22", "20.20"]
    assert [line["mode"] for line in record["skipping"]][::2] == ["88.88", "80.80"]
    # One set of gates, several modes.
    assert len({mode for line in record["budgets"] for mode in line["test"]["modes"]}) > 3
    assert record["budgets"][0]["test"]["accuracy"] > 80
    history = json.loads((tmp_path / "out" / "history.json").read_text())["history"]
    assert [line["step"] for line in history] == ["warm-up"] * 5 + ["cost"] * 10 + ["tuning"] * 2
    assert checkpoint.read_bytes() == before
    assert not (tmp_path / "out" / "state.safetensors").exists()


def test_the_files_have_the_keys_that_others_read(backbone: tuple[Recipe, Path], tmp_path: Path) -> None:
    recipe, checkpoint = backbone
    record = load_tensors(train_gates(short(GateSettings.of(recipe)), tmp_path, checkpoint=checkpoint))[1]
    shipped = load_tensors(MODELS / "cifar10-r14" / "gates.safetensors")[1]
    assert record.keys() == shipped.keys()
    assert record["run"].keys() == shipped["run"].keys()
    assert record["gates"].keys() == shipped["gates"].keys()
    assert record["budgets"][0].keys() == shipped["budgets"][0].keys()
    history = json.loads((tmp_path / "history.json").read_text())
    assert list(history) == ["run", "seed", "gates", "budgets", "uniform", "skipping", "history"]
    line = history["history"][0]
    assert list(line) == ["epoch", "step", "loss", "miss", "val", "seconds"]
    (accuracy, cost) = line["val"]["0.5"]
    assert 0 < cost < 1.5 < accuracy


def test_a_trained_backbone_is_written_beside_the_gates(backbone: tuple[Recipe, Path], tmp_path: Path) -> None:
    recipe, checkpoint = backbone
    train_gates(short(GateSettings.of(recipe), backbone_lr=0.01), tmp_path, checkpoint=checkpoint)
    original = load_network(recipe, checkpoint).state_dict()
    changed = load_network(recipe, tmp_path / "checkpoint.safetensors").state_dict()
    assert not torch.equal(changed["stem.conv.weight"], original["stem.conv.weight"])


def test_gates_of_one_budget_and_their_backbone_say_so(backbone: tuple[Recipe, Path], tmp_path: Path) -> None:
    recipe, checkpoint = backbone
    told: list[str] = []
    settings = short(GateSettings.of(recipe), backbone_lr=0.01, only_budget=0.5)
    path = train_gates(settings, tmp_path, checkpoint=checkpoint, progress=lambda text, share: told.append(text))
    record = load_gate_record(path)
    assert [line.budget for line in record.budgets] == [0.5]
    assert (record.gates.only_budget, record.run.section()["backbone_lr"]) == (0.5, 0.01)
    assert load_tensors(tmp_path / "checkpoint.safetensors")[1]["run"] == record.run.to_json()
    assert {"test images with a budget of 0.5", "test images of static modes"} <= set(told)
    assert "static modes to compare with: 100%" in told


@pytest.mark.parametrize("backbone_lr", [pytest.param(0.0, marks=pytest.mark.slow), 0.01])
def test_an_interrupted_training_ends_in_the_same_bytes(
    backbone: tuple[Recipe, Path], tmp_path: Path, backbone_lr: float
) -> None:
    recipe, checkpoint = backbone
    settings = short(GateSettings.of(recipe), backbone_lr=backbone_lr)
    whole = train_gates(settings, tmp_path / "whole", checkpoint=checkpoint).read_bytes()

    def interrupt(text: str, share: float) -> None:
        if share > 0.75:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_gates(settings, tmp_path / "cut", checkpoint=checkpoint, progress=interrupt)
    seen: list[float] = []
    resumed = train_gates(
        settings, tmp_path / "cut", checkpoint=checkpoint, progress=lambda text, share: seen.append(share)
    )
    assert seen[0] > 2 / 3
    assert resumed.read_bytes() == whole


def test_finished_gates_are_not_trained_again_and_load(backbone: tuple[Recipe, Path], tmp_path: Path) -> None:
    recipe, checkpoint = backbone
    settings = short(GateSettings.of(recipe))
    path = train_gates(settings, tmp_path, checkpoint=checkpoint)
    before = path.stat().st_mtime_ns
    assert train_gates(settings, tmp_path, checkpoint=checkpoint).stat().st_mtime_ns == before
    assert load_gates(recipe, path).config == recipe.gates.config()
    other = dataclasses.replace(recipe, gates=dataclasses.replace(recipe.gates, hidden=4))
    with pytest.raises(DimmerError, match="other gates than"):
        load_gates(other, path)


def test_finished_gates_that_were_measured_at_other_budgets_are_told(
    backbone: tuple[Recipe, Path], tmp_path: Path
) -> None:
    recipe, checkpoint = backbone
    settings = short(GateSettings.of(recipe), warmup_epochs=0, tune_epochs=0)
    train_gates(settings, tmp_path, checkpoint=checkpoint)
    other = dataclasses.replace(settings, gates=dataclasses.replace(settings.gates, budgets=(0.7,)))
    with pytest.raises(DimmerError, match=r"was measured at other budgets than are wanted now; name another folder"):
        train_gates(other, tmp_path, checkpoint=checkpoint)


def test_replaced_data_train_gates_anew(backbone: tuple[Recipe, Path], tmp_path: Path) -> None:
    recipe, checkpoint = backbone
    settings = short(GateSettings.of(recipe), warmup_epochs=0, tune_epochs=0)
    times = []
    for data in ("one", "one", "two"):
        path = train_gates(settings, tmp_path, checkpoint=checkpoint, data=data)
        assert load_tensors(path)[1]["run"]["data"] == data
        times.append(path.stat().st_mtime_ns)
    assert times[0] == times[1] != times[2]


def test_a_recipe_without_gates_says_what_to_do(backbone: tuple[Recipe, Path], tmp_path: Path) -> None:
    recipe, checkpoint = backbone
    with pytest.raises(DimmerError, match=r"give \[gates\] .*recipe\.toml an epochs of 1 or more"):
        train_gates(short(GateSettings.of(recipe), epochs=0), tmp_path, checkpoint=checkpoint)


def test_too_few_images_for_a_batch_are_told_with_the_recipe(backbone: tuple[Recipe, Path], tmp_path: Path) -> None:
    recipe, checkpoint = backbone
    few = short(GateSettings.of(recipe), images=10)
    with pytest.raises(DimmerError, match=r"10 training images make no batch of 64; lower gates\.batch in .*recipe"):
        train_gates(few, tmp_path, checkpoint=checkpoint)


def test_begun_gates_that_were_measured_at_other_budgets_are_told(
    backbone: tuple[Recipe, Path], tmp_path: Path
) -> None:
    """The epoch to keep would have been chosen among figures of different budgets."""
    recipe, checkpoint = backbone
    settings = short(GateSettings.of(recipe))

    def interrupt(text: str, share: float) -> None:
        if share > 0.75:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_gates(settings, tmp_path, checkpoint=checkpoint, progress=interrupt)
    other = dataclasses.replace(settings, gates=dataclasses.replace(settings.gates, budgets=(0.7,)))
    with pytest.raises(DimmerError, match=r"was begun with other budgets than are wanted now; name another folder"):
        train_gates(other, tmp_path, checkpoint=checkpoint)


def test_classes_are_balanced_in_the_training_of_gates_as_in_the_backbone_s(
    backbone: tuple[Recipe, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, checkpoint = backbone
    drawn: list[int] = []

    def order(dataset: Dataset, rng: np.random.Generator) -> np.ndarray:
        drawn.append(len(dataset.train))
        return rng.permutation(len(dataset.train))

    monkeypatch.setattr(Dataset, "order", order)
    settings = short(GateSettings.of(recipe), warmup_epochs=0, tune_epochs=0)
    train_gates(settings, tmp_path, checkpoint=checkpoint)
    assert len(drawn) == settings.gates.epochs
