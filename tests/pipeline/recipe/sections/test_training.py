# SPDX-License-Identifier: Apache-2.0
"""[train], [teacher], [qat], [average], [polish]: what is refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core.checks import InvalidKeyError
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.recipe.sections.training import (
    Augmentation,
    PolishSection,
    QatSection,
    TeacherSection,
    TrainSection,
)

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


SOUND: dict[str, Any] = {
    **{"epochs": 3, "batch": 16, "lr": 0.1, "momentum": 0.9, "weight_decay": 5e-4, "warmup": 0.1},
    **{"alpha": 0.5, "temperature": 2.0, "seed": 1},
}
TRAIN = partial(TrainSection, **SOUND)


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    folder = tmp_path / "tiny"
    folder.mkdir()
    return folder / "recipe.toml"


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ("[teacher]\nepochs = 2\n", r"teacher\.widths = None: must have one entry a stage"),
        ("[teacher]\nepochs = 2\nwidths = [8]\n", r"line 21: teacher\.widths = \[8\]: must have one entry a stage"),
        ("[teacher]\nepochs = 2\nwidths = [8, 16]\nweight = 0.0\n", r"teacher\.weight = 0\.0: must be over 0"),
        ("[average]\nepochs = 2\n", r"line 19: unknown section \[average\]; known are: model, train"),
        ("[polish]\nepochs = -1\n", r"polish\.epochs = -1: must be 0 to 100000"),
        ("[polish]\nlowest = 1.5\n", r"polish\.lowest = 1\.5: must be 0 to 1"),
    ],
)
def test_teacher_and_polish_say_what_is_wrong(recipe_file: Path, section: str, says: str) -> None:
    recipe_file.write_text(GOOD + "\n" + section)
    with pytest.raises(DimmerError, match=says):
        load_recipe(recipe_file)


@pytest.mark.parametrize(
    ("section", "key", "wrong"),
    [
        (Augmentation, "pad", -1),
        (Augmentation, "pad_value", 256),
        (Augmentation, "rotate", 181.0),
        (Augmentation, "zoom", 1.0),
        (TRAIN, "epochs", 0),
        (TRAIN, "batch", 1),
        (TRAIN, "lr", 0.0),
        (TRAIN, "momentum", 1.0),
        (TRAIN, "weight_decay", -1.0),
        (TRAIN, "warmup", 1.0),
        (TRAIN, "alpha", 1.0),
        (TRAIN, "temperature", 0.0),
        (TRAIN, "seed", -1),
        (TRAIN, "base_label_weight", -1.0),
        (TRAIN, "precision", "fp64"),
        (QatSection, "epochs", -1),
        (QatSection, "norm_epochs", -1),
        (QatSection, "lr", 0.0),
        (QatSection, "norm_lr", 0.0),
        (QatSection, "warmup", 1.0),
        (QatSection, "uniform", 1.5),
        (QatSection, "alpha", 0.0),
        (QatSection, "share", 0.0),
        (QatSection, "precision", "int8"),
        (QatSection, "sampled", 0),
        (QatSection, "sampled", 3),
        (TeacherSection, "lr", 0.0),
        (TeacherSection, "temperature", 0.0),
        (PolishSection, "lr", 0.0),
        (PolishSection, "mixed", 1.5),
    ],
)
def test_a_wrong_value_is_refused(section: Callable[..., object], key: str, wrong: Any) -> None:
    with pytest.raises(InvalidKeyError) as caught:
        section(**{key: wrong})
    assert caught.value.key == key
