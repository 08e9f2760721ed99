# SPDX-License-Identifier: Apache-2.0
"""A recipe for data of one's own is read, and has a network and a training of its size."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from dimmer.pipeline.data.own import DataSection
from dimmer.pipeline.projects.inspected import front_end_of
from dimmer.pipeline.projects.recipes import MOST_EPOCHS, recipe_text
from dimmer.pipeline.projects.wanted import OwnSamples
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.schemas.files import FileKind
from tests.own_data import steps_section
from tests.pipeline.schemas.mutants import refuses

AB = ('a "b"', "ü\\")
FAMILIES = {"anomalies": "autoencoder", "recordings": "ds_cnn", "slow recordings": "ds_cnn"}
SECTIONS = {
    "images": DataSection("images", "../d", classes=AB, size=(24, 24), colour="grey", group=r"(\d+)_"),
    "small images": DataSection("images", "../d", classes=AB, size=(3, 3)),
    "recordings": DataSection("recordings", "../d", classes=AB, window=16000),
    "slow recordings": DataSection("recordings", "../d", classes=AB, window=8000, rate=8000),
    "windows": steps_section(window=128),
    "anomalies": steps_section(task="anomaly", window=64),
    "short windows": steps_section(window=2),
    "values": steps_section(task="values", classes=("load",), units=("kg",), label=("kg",), tolerance=(0.5,)),
}


@pytest.mark.parametrize("samples", [10, 731, 100_000])
@pytest.mark.parametrize("name", SECTIONS)
def test_it_is_read_as_it_was_meant(tmp_path: Path, name: str, samples: int) -> None:
    text = recipe_text(OwnSamples(SECTIONS[name], samples, front_end_of(SECTIONS[name])))
    (tmp_path / "recipe.toml").write_text(text, encoding="utf-8")
    recipe = load_recipe(tmp_path)
    assert recipe.model.data == SECTIONS[name]
    assert (recipe.model.heard is not None) == ("recordings" in name)
    assert recipe.model.family == FAMILIES.get(name, "resnet")
    assert 10 <= recipe.train.epochs <= MOST_EPOCHS
    assert recipe.train.batch <= max(2, samples // 2)
    assert not refuses(FileKind.RECIPE, tomllib.loads(text))


def test_more_samples_have_a_wider_network_and_fewer_epochs(tmp_path: Path) -> None:
    found = []
    for samples in (731, 50_000):
        (tmp_path / "recipe.toml").write_text(recipe_text(OwnSamples(SECTIONS["images"], samples)), encoding="utf-8")
        found.append(load_recipe(tmp_path))
    assert found[0].model.config.widths < found[1].model.config.widths
    assert found[0].train.epochs > found[1].train.epochs
