# SPDX-License-Identifier: Apache-2.0
"""What a training depends on."""

import dataclasses

import pytest
import torch

from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from dimmer.pipeline.training.settings import TrainingSettings, override
from tests.pipeline.training.small import narrow, polished, small_settings, taught


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
