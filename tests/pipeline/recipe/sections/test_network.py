# SPDX-License-Identifier: Apache-2.0
"""[model]: the network and its data set."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.pipeline.core.checks import InvalidKeyError
from dimmer.pipeline.core.closure import is_module
from dimmer.pipeline.data.own import DataSection
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig
from dimmer.pipeline.recipe.sections.network import ModelNames, ModelSection

CONFIG = ResNetConfig((1, 2), (1, 0), (4, 8), 1, (28, 28), 10, (8, 4))


@pytest.mark.parametrize(("key", "names"), [("family", ("lamp", "mnist5k")), ("dataset", ("resnet", "mnist"))])
def test_an_unknown_name_is_refused(key: str, names: tuple[str, str]) -> None:
    with pytest.raises(InvalidKeyError, match=r"must be one of .*(mnist5k|resnet)") as caught:
        ModelNames(*names)
    assert caught.value.key == key


def test_the_modules_of_its_family_and_its_data_set_are_there() -> None:
    modules = ModelSection("resnet", "mnist5k", CONFIG).modules(Path("recipe.toml"))
    assert len(set(modules)) == 2
    assert all(is_module(name) for name in modules)


def test_image_and_classes_are_the_data_set_s() -> None:
    given = ModelNames("resnet", "cifar10").from_dataset(DataSection())
    assert given == {"in_channels": 3, "image_size": (32, 32), "classes": 10}


def test_keys_are_what_stands_in_the_recipe() -> None:
    assert ModelSection("resnet", "mnist5k", CONFIG).keys() == {
        "family": "resnet",
        "dataset": "mnist5k",
        "mandatory": (1, 2),
        "skippable": (1, 0),
        "widths": (4, 8),
        "bits": (8, 4),
    }
