# SPDX-License-Identifier: Apache-2.0
"""A network of two inputs and one output of classes learns from a teacher of the same inputs, and is polished."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from dimmer.pipeline.artifacts.checkpoint import load_tensors
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.training.loop import train
from dimmer.pipeline.training.settings import TrainingSettings
from tests.own_data import cache
from tests.several_ends import one_output, write_project

__all__ = ["cache"]

POLISH = "[polish]\nepochs = 1"
TEACHER = "[teacher]\nepochs = 1\nwidths = [6, 8]\nlr = 0.1\nweight = 0.9\ntemperature = 2.0"


def test_two_inputs_learn_from_a_teacher_of_two_inputs(tmp_path: Path, cache: Path) -> None:
    recipe = write_project(tmp_path)
    recipe.write_text(one_output(TEACHER))
    settings = TrainingSettings.of(load_recipe(recipe))
    own = settings.of_teacher().config()
    assert (own.joined_inputs, own.widths) == (((6, 4, 1), (1, 5, 2)), (6, 8))
    taught = load_tensors(train(settings, tmp_path / "train"))[0]
    teacher = load_tensors(tmp_path / "train-teacher" / "checkpoint.safetensors")[0]
    (branch,) = (name for name in teacher if name.endswith("branches.0.out.weight"))
    assert teacher[branch].shape[0] == 6
    assert taught[branch].shape[0] == 4
    # What the teacher says counts: without it the same seed learns something else.
    alone = load_tensors(train(replace(settings, teacher=replace(settings.teacher, epochs=0)), tmp_path / "alone"))[0]
    assert not torch.equal(taught[branch], alone[branch])


def test_a_network_of_two_inputs_is_polished(tmp_path: Path, cache: Path) -> None:
    recipe = write_project(tmp_path)
    recipe.write_text(one_output(POLISH))
    settings = TrainingSettings.of(load_recipe(recipe))
    polished = load_tensors(train(settings, tmp_path / "train"))[0]
    plain = load_tensors(train(replace(settings, polish=replace(settings.polish, epochs=0)), tmp_path / "plain"))[0]
    assert polished.keys() == plain.keys()
    assert any(not torch.equal(polished[name], plain[name]) for name in polished if name.endswith("out.weight"))
