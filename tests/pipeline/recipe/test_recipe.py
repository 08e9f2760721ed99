# SPDX-License-Identifier: Apache-2.0
"""Recipes: those that ship are sound, and a broken one says file, line and key."""

import dataclasses
import json
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.project import model_names

GOOD = """\
[model]
family = "resnet"
dataset = "mnist5k"
mandatory = [1, 1]
skippable = [1, 1]
widths = [4, 8]

[train]
epochs = 3
batch = 16
lr = 0.1
momentum = 0.9
weight_decay = 5e-4
warmup = 0.1
alpha = 0.5
temperature = 2
seed = 1
"""


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    folder = tmp_path / "tiny"
    folder.mkdir()
    return folder / "recipe.toml"


@pytest.mark.parametrize("name", ["mnist5k-r14", "cifar10-r14"])
def test_the_shipped_recipes_are_sound(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert name in model_names()
    assert str(recipe.super_mode()) == "88.88.88"
    assert len(recipe.depth_patterns()) == 8


def test_a_recipe_is_found_by_file_and_by_folder(recipe_file: Path) -> None:
    recipe_file.write_text(GOOD)
    assert load_recipe(recipe_file) == load_recipe(recipe_file.parent) == load_recipe(str(recipe_file))
    assert load_recipe(recipe_file).name == "tiny"


def test_sections_left_out_take_their_defaults(recipe_file: Path) -> None:
    recipe_file.write_text(GOOD)
    recipe = load_recipe(recipe_file)
    assert recipe.calibration.images == 256
    assert recipe.train.augmentation.pad == 0
    assert recipe.train.temperature == 2.0
    assert isinstance(recipe.train.temperature, float)
    assert recipe.forced_modes() == ()


def test_modes_can_be_forced(recipe_file: Path) -> None:
    recipe_file.write_text(GOOD + '[selection]\nforce = ["80.88"]\n')
    assert load_recipe(recipe_file).forced_modes() == (Mode.parse("80.88"),)
    recipe_file.write_text(GOOD + '[selection]\nforce = "all"\n')
    assert len(load_recipe(recipe_file).forced_modes()) == 4


def test_an_unknown_model_is_answered_with_the_known_ones() -> None:
    with pytest.raises(DimmerError, match=r"no model 'cifar10-r15'; known are: .*cifar10-r14, .*mnist5k-r14"):
        load_recipe("cifar10-r15")


@pytest.mark.parametrize("name", ["", "../models/mnist5k-r14", "mnist5k-r14/", "..", "./mnist5k-r14"])
def test_only_names_of_folders_are_models(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DimmerError, match="no model"):
        load_recipe(name)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("epochs = 3", "epochs = ", 9, "not valid TOML"),
        ("epochs = 3", "epoch = 3", 9, r"unknown key 'epoch' in \[train\]; known are: epochs, batch"),
        ("epochs = 3\n", "", 8, r"key 'epochs' is missing in \[train\]"),
        ("epochs = 3", "epochs = 3.5", 9, r"train.epochs = 3.5 must be a whole number"),
        ("epochs = 3", "epochs = true", 9, r"train.epochs = True must be a whole number"),
        ("epochs = 3", "epochs = 0", 9, "train.epochs = 0: must be 1 to 100000"),
        ("lr = 0.1", 'lr = "high"', 11, "train.lr = 'high' must be a number"),
        ("widths = [4, 8]", "widths = 4", 6, "model.widths = 4 must be a list; each entry a whole number"),
        ("widths = [4, 8]", "widths = [4]", 6, r"model.widths = \[4\]: must have one entry a stage"),
        ("mnist5k", "mnist", 3, "model.dataset = 'mnist': must be one of cifar10, mnist5k"),
        ("[train]", "[training]", 8, r"unknown section \[training\]; known are: model, train"),
        (
            "seed = 1\n",
            "seed = 1\n[train.augmentation]\npad = -1\n",
            19,
            "train.augmentation.pad = -1: must be 0 to 1024",
        ),
        ("seed = 1\n", "seed = 1\naugmentation = 3\n", 18, "train.augmentation must be a section"),
        (
            "seed = 1\n",
            'seed = 1\n[selection]\nforce = ["08.88"]\n',
            19,
            "selection.force: mode 08.88 skips a mandatory",
        ),
        ("seed = 1\n", "seed = 1\n[policy]\ntiers = [200, 400]\n", 19, r"policy.tiers = \[200, 400\]: must fall"),
        (
            "seed = 1\n",
            'seed = 1\n[policy]\nrecharge = "uniform"\nrecharge_hours = 48\n',
            19,
            r"policy.recharge needs to know the battery: give \[duty\] capacity_mah and period_s",
        ),
        (
            "seed = 1\n",
            'seed = 1\n[calibration]\nmethods = ["max"]\n',
            19,
            "calibration.methods = .* minmax, percentile",
        ),
    ],
)
def test_a_broken_recipe_names_file_line_and_key(recipe_file: Path, old: str, new: str, line: int, says: str) -> None:
    recipe_file.write_text(GOOD.replace(old, new))
    with pytest.raises(DimmerError, match=says) as failure:
        load_recipe(recipe_file)
    message = str(failure.value)
    assert message.startswith(str(recipe_file))
    assert f"line {line}" in message
    assert "\n" not in message


def test_only_what_a_training_depends_on_changes_its_hash(recipe_file: Path) -> None:
    recipe_file.write_text(GOOD)
    recipe = load_recipe(recipe_file)
    other_policy = dataclasses.replace(recipe, policy=dataclasses.replace(recipe.policy, dwell_s=1))
    other_seed = dataclasses.replace(recipe, train=dataclasses.replace(recipe.train, seed=2))
    assert other_policy.training_hash() == recipe.training_hash()
    assert other_seed.training_hash() != recipe.training_hash()


def test_teacher_and_polish_are_part_of_the_training_only_where_they_have_epochs(recipe_file: Path) -> None:
    hashes = set()
    sections = ("", "[teacher]\nlr = 0.3\n[polish]\nlr = 0.1\n", "[teacher]\nepochs = 1\nwidths = [8, 16]\n")
    for section in sections:
        recipe_file.write_text(GOOD + "\n" + section)
        hashes.add(load_recipe(recipe_file).training_hash())
    assert len(hashes) == 2
    recipe_file.write_text(GOOD + "\n" + sections[2] + "[polish]\nepochs = 1\n")
    assert load_recipe(recipe_file).training_hash() not in hashes


def test_the_shipped_weights_are_those_of_their_recipe() -> None:
    recipe = load_recipe("cifar10-r14")
    results = json.loads(recipe.path.with_name("results.json").read_text())
    assert recipe.training_hash() == results["training_hash"]
    assert load_recipe("mnist5k-r14").training_hash().startswith("86478a76dcae3c08")


def test_epochs_of_norms_need_narrow_widths(recipe_file: Path) -> None:
    recipe_file.write_text(GOOD + "\n[qat]\nnorm_epochs = 1\n")
    with pytest.raises(DimmerError, match=r"line 20: qat\.norm_epochs = 1: must be 0 where qat\.epochs is"):
        load_recipe(recipe_file)


NARROW = GOOD.replace("widths = [4, 8]", "widths = [4, 8]\nbits = [8, 4]") + "\n[qat]\nepochs = 1\n"


def test_gates_choose_from_the_uniform_modes_which_are_published(recipe_file: Path) -> None:
    recipe_file.write_text(NARROW.replace("[8, 4]", "[8, 4, 2]") + "[gates]\nepochs = 1\n")
    recipe = load_recipe(recipe_file)
    assert [str(mode) for mode in recipe.forced_modes()] == ["88.88", "80.80", "44.44", "40.40", "22.22", "20.20"]
    without = dataclasses.replace(recipe, gates=dataclasses.replace(recipe.gates, epochs=0))
    assert without.forced_modes() == ()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("options = [8]", "must hold 8 and one to three others"),
        ("options = [0, 8]", "must hold 8 and one to three others, by falling cost"),
        ("options = [8, 4, 28]", r"by falling cost \(32, 16, 8, 48, 28, 4, 24, 2, 0\)"),
        ("budgets = [0.2, 0.4]", "must fall, from 1"),
        ("dead_band = 1.0", "at least 0 and under 1"),
        ("reference_bits = 4", "8, 16 or 32"),
        ("epochs = 0\n[policy]\ntiers = [500]\nbudgets = [1.0, 0.5]", r"policy.budgets are for gates"),
        ("epochs = 1\n[policy]\nbudgets = [1.0, 0.5]", "must fall, one more than tiers"),
        ("epochs = 1\noptions = [8, 2]\n", r"gates.options holds 2, model.bits does not"),
        ("epochs = 1\noptions = [8, 48, 2]\n", r"gates.options holds 48 \(W4A8\), 2, model.bits does not"),
    ],
)
def test_a_broken_section_of_gates_is_told_with_its_line(recipe_file: Path, line: str, message: str) -> None:
    recipe_file.write_text(f"{NARROW}[gates]\n{line}\n")
    with pytest.raises(DimmerError, match=rf"recipe.toml, line \d+: .*{message}"):
        load_recipe(recipe_file)


def test_keys_can_be_changed_without_another_file(recipe_file: Path) -> None:
    recipe_file.write_text(GOOD)
    changes = {"train.epochs": 30, "train.augmentation.flip": True, "qat.lr": 0.2}
    changed = load_recipe(recipe_file, changes)
    assert (changed.train.epochs, changed.train.augmentation.flip, changed.qat.lr) == (30, True, 0.2)
    assert (changed.name, changed.path) == ("tiny", recipe_file)
    assert load_recipe(recipe_file).train.epochs == 3
    with pytest.raises(DimmerError, match=r"recipe\.toml, line \d+: train\.epochs = 0: must be 1"):
        load_recipe(recipe_file, {"train.epochs": 0})
