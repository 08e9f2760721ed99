# SPDX-License-Identifier: Apache-2.0
"""Transforms as a recipe names them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.recipe.sections.transforms import LIBRARY, Transform, parse_transform
from tests.own_data import TRAIN
from tests.pipeline.data.test_own import MODEL

IMAGES = '[data]\nkind = "images"\npath = "d"\nclasses = ["a", "b"]\n'
SOUNDS = '[data]\nkind = "recordings"\npath = "d"\nclasses = ["a", "b"]\nwindow = 480\n'


def test_names_with_arguments() -> None:
    assert parse_transform("GaussianBlur", "torchvision") == Transform("GaussianBlur", {})
    found = parse_transform(" Gain(min_gain_db=-6.0, p=1, mode='a', keep=True, both=[1, -2]) ", "audiomentations")
    assert found.arguments == {"min_gain_db": -6.0, "p": 1, "mode": "a", "keep": True, "both": [1, -2]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must be a name"),
        ("Blur(", "must be a name"),
        ("Blur(3)", "must be a name"),
        ("os.system(a=1)", "must be a name"),
        ("Blur(**{})", "must be a name"),
        ("Blur(a=print())", "a must be a number"),
        ("Blur(a=b)", "a must be a number"),
        ("AddBackgroundNoise(sounds_path='x')", "names files (sounds_path)"),
        ("(" * 9000, "must be a name"),
    ],
)
def test_what_is_no_transform_is_one_line_with_its_key(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(MODEL + IMAGES + TRAIN + f'[train.augmentation]\ntorchvision = ["""{text}"""]\n')
    with pytest.raises(DimmerError, match=r"line \d+: train.augmentation.torchvision = ") as error:
        load_recipe(path)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("data", "key", "said"),
    [
        (SOUNDS, "torchvision", "is for images"),
        (IMAGES, "audiomentations", 'is for data.kind = "recordings"'),
        ("", "audiomentations", 'is for data.kind = "recordings"'),
    ],
)
def test_images_and_sounds_have_transforms_of_their_own(tmp_path: Path, data: str, key: str, said: str) -> None:
    path = tmp_path / "recipe.toml"
    model = MODEL if data else MODEL.replace('"own"', '"mnist5k"')
    path.write_text(model + data + TRAIN + f'[train.augmentation]\n{key} = "Any"\n')
    with pytest.raises(DimmerError, match=r"line \d+: train.augmentation") as error:
        load_recipe(path)
    assert said in str(error.value)


def test_a_training_depends_on_libraries_only_where_it_names_them(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(MODEL + IMAGES + TRAIN)
    (tmp_path / "d").mkdir()
    plainly = load_recipe(path)
    path.write_text(path.read_text() + '[train.augmentation]\ntorchvision = ["RandomGrayscale(p=0.3)"]\n')
    named = load_recipe(path)
    assert named.modules == (*plainly.modules, LIBRARY, "torchvision")
    assert named.training_hash() != plainly.training_hash()
    assert find_spec(LIBRARY) is not None
    assert not named.model.sounds
    path.write_text(MODEL + SOUNDS + TRAIN + '[train.augmentation]\naudiomentations = ["Gain(p=1.0)"]\n')
    assert load_recipe(path).model.sounds
