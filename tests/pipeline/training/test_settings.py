# SPDX-License-Identifier: Apache-2.0
"""What a training depends on."""

import dataclasses
import json

import pytest
import torch

from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from dimmer.pipeline.recipe.sections.training import LATER_KEYS, LATER_OF_WIDTHS
from dimmer.pipeline.training.settings import TrainingSettings, override
from tests.pipeline.training.small import narrow, polished, small_settings, taught, with_train


def test_the_settings_of_a_recipe_are_its_sections_and_its_hash() -> None:
    recipe = load_recipe("cifar10-r14")
    settings = TrainingSettings.of(recipe)
    assert settings.path == recipe.path
    assert (settings.train, settings.qat, settings.teacher) == (recipe.train, recipe.qat, recipe.teacher)
    assert settings.config() == recipe.model.config
    run = settings.run_id()
    assert (run.model, run.alone, run.training, run.data) == ("cifar10-r14", None, recipe.training_hash(), "")


def test_a_teacher_is_a_plain_wider_float_network_with_the_rest_of_train() -> None:
    settings = polished(taught(small_settings()))
    teacher = settings.of_teacher()
    assert teacher.config().widths == (8, 16)
    assert teacher.config().skippable == (0, 0)
    assert teacher.config().bits == (8,)
    assert (teacher.train.epochs, teacher.train.lr) == (1, settings.teacher.lr)
    assert teacher.train.batch == settings.train.batch
    assert not teacher.qat.epochs + teacher.polish.epochs + teacher.teacher.epochs
    assert teacher.path == settings.path


def test_the_teacher_of_the_shipped_model_is_known_by_what_it_was() -> None:
    """A teacher that was trained before is found again."""
    teacher = TrainingSettings.of(load_recipe("cifar10-r14")).of_teacher()
    assert teacher.run_id().to_json() == {
        "model": "cifar10-r14",
        "alone": "super",
        "training": "154155de8ef2693255a28096d84b2a7b0dae79ba989bb2c2c467d715d31de32a",
    }


@pytest.mark.parametrize("alone", ["super", "base"])
def test_networks_trained_alone_do_not_depend_on_the_polish(alone: str) -> None:
    settings = taught(small_settings())
    plain = dataclasses.replace(settings, alone=alone)
    with_polish = dataclasses.replace(polished(settings), alone=alone)
    more = dataclasses.replace(polished(settings, epochs=3), alone=alone)
    without = dataclasses.replace(narrow(settings), alone=alone)
    assert with_polish.run_id() == more.run_id() == without.run_id()
    assert without.run_id() != plain.run_id(), "the epochs of narrow widths count for it"
    assert polished(settings).run_id() != polished(settings, epochs=3).run_id()


def test_other_data_are_another_training() -> None:
    settings = small_settings()
    assert settings.run_id("one") != settings.run_id("two")
    assert settings.run_id("one").training == settings.run_id().training


def test_equal_seeds_give_equal_networks() -> None:
    settings = small_settings()
    one, same = settings.untrained().state_dict(), settings.untrained().state_dict()
    assert all(torch.equal(one[name], same[name]) for name in one)
    seed = dataclasses.replace(settings, train=dataclasses.replace(settings.train, seed=2))
    assert not torch.equal(seed.untrained().state_dict()["fc.weight"], one["fc.weight"])


def test_a_recipe_can_have_another_seed_and_number_of_epochs(recipe: Recipe) -> None:
    assert override(recipe, seed=7).train == dataclasses.replace(recipe.train, seed=7)
    assert override(recipe, epochs=2).train == dataclasses.replace(recipe.train, epochs=2)
    assert override(recipe) == recipe


LATER = {"base_labels": 0.5, "base_start": 0.3, "mutual": 0.3, "own_classifier": True, "shared_norms": True}


def test_keys_that_came_later_are_in_no_hash_where_they_are_off() -> None:
    """Weights that were trained before they came are known by what they were."""
    assert LATER.keys() == LATER_KEYS.keys()
    shipped = load_recipe("cifar10-r14")
    results = json.loads((shipped.path.parent / "results.json").read_text())
    assert shipped.training_hash() == results["training_hash"]
    settings = small_settings()
    runs = {with_train(settings, **{key: value}).run_id().training for key, value in LATER.items()}
    assert len(runs | {settings.run_id().training}) == len(LATER) + 1, "each is another training"


def test_keys_of_widths_that_came_later_are_in_no_hash_where_they_are_off() -> None:
    assert set(LATER_OF_WIDTHS) == {"frozen", "sampled", "mixed"}
    plain = polished(small_settings())
    others = (
        dataclasses.replace(plain, qat=dataclasses.replace(plain.qat, frozen=True)),
        dataclasses.replace(plain, qat=dataclasses.replace(plain.qat, sampled=2)),
        dataclasses.replace(plain, polish=dataclasses.replace(plain.polish, mixed=0.3)),
    )
    assert len({one.run_id().training for one in (plain, *others)}) == 4, "each is another training"
    alone = {dataclasses.replace(one, alone="super").run_id().training for one in (plain, *others)}
    assert len(alone) == 1, "there are no sampled modes"


@pytest.mark.parametrize("alone", ["super", "base"])
def test_networks_trained_alone_have_no_base_net_s_settings(alone: str) -> None:
    settings = dataclasses.replace(taught(small_settings()), alone=alone)
    other = with_train(settings, **LATER)
    assert other.run_id() == settings.run_id()
    assert other.of_teacher().run_id() == settings.of_teacher().run_id()
    assert other.untrained().state_dict().keys() == settings.untrained().state_dict().keys()


def test_norms_are_shared_and_weights_begin_as_they_do_otherwise() -> None:
    settings = small_settings()
    plain = settings.untrained().state_dict()
    shared = with_train(settings, shared_norms=True).untrained().state_dict()
    assert not any(".skipped." in name or ".executed." in name for name in shared)
    assert all(torch.equal(plain[name], shared[name]) for name in plain if name in shared)
    assert "stages.0.0.norm1.weight" in shared
