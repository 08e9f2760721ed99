"""[model]: depth split, widths and bits of a network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dimmer.pipeline.core.closure import is_module
from dimmer.pipeline.recipe.sections.checks import InvalidKeyError
from dimmer.pipeline.recipe.sections.network import ModelSection

GOOD = ModelSection("resnet", "mnist5k", (1, 2), (1, 0), (4, 8), (8, 4))


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("family", "lamp"),
        ("dataset", "mnist"),
        ("mandatory", ()),
        ("mandatory", (1, 0)),
        ("skippable", (1,)),
        ("skippable", (1, -1)),
        ("widths", (4,)),
        ("widths", (4, 0)),
        ("bits", (4, 2)),
        ("bits", (8, 8)),
        ("bits", (8, 0)),
        ("bits", (8, 3)),
    ],
)
def test_a_wrong_value_is_refused(key: str, wrong: Any) -> None:
    with pytest.raises(InvalidKeyError) as caught:
        replace(GOOD, **{key: wrong})
    assert caught.value.key == key


def test_the_modules_of_its_family_and_its_data_set_are_there() -> None:
    assert len(set(GOOD.modules)) == 2
    assert all(is_module(name) for name in GOOD.modules)


def test_image_and_classes_are_the_data_set_s() -> None:
    config = GOOD.config()
    assert (config.in_channels, config.image_size, config.classes) == (1, (28, 28), 10)
    assert (config.mandatory, config.skippable, config.bits) == ((1, 2), (1, 0), (8, 4))
