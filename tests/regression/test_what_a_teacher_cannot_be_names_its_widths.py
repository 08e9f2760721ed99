# SPDX-License-Identifier: Apache-2.0
"""Widths of a teacher that the heads of attention do not divide were told as "teacher.heads = None", a key that there
is not; and a default that the data does not fit as None.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.recipe.recipe import load_recipe
from tests.tiny import TINY

OWN = {
    "vit": 'family = "vit"\nheads = 3',
    "cct": 'family = "cct"\nheads = 3',
    "swin": 'family = "swin"\nheads = [2, 3]\npatch = 7\nwindow = 2',
    "resnet": 'family = "resnet"',
    "resnet_bottleneck": 'family = "resnet_bottleneck"\nratio = 3',
}
WIDTHS = {"swin": [6, 9], "resnet": [4, 8], "resnet_bottleneck": [6, 6]}


def write(folder: Path, family: str, more: str) -> Path:
    """The file of a recipe of the family."""
    recipe = folder / "lamp" / "recipe.toml"
    recipe.parent.mkdir()
    keys = f"{OWN[family]}\nwidths = {WIDTHS.get(family, [6, 6])}"
    recipe.write_text(TINY.replace("\nwidths = [4, 8]", "").replace('family = "resnet"', keys) + more)
    return recipe


@pytest.mark.parametrize(
    ("family", "widths", "reason"),
    [
        ("vit", [32, 32], "model.heads must divide the stage's width, 32"),
        ("cct", [32, 32], "model.heads must divide the stage's width, 32"),
        ("swin", [6, 32], "model.heads must divide the stage's width, 32"),
        ("swin", [6], "must have one entry a stage, as many as mandatory"),
        ("vit", [6, 9], "must be the same in every stage"),
        ("resnet", [4], "must have one entry a stage, as many as mandatory"),
        ("resnet_bottleneck", [6, 7], "must be multiples of ratio, 3"),
    ],
)
def test_the_widths_are_named_with_their_value(tmp_path: Path, family: str, widths: list[int], reason: str) -> None:
    recipe = write(tmp_path, family, f"\n[teacher]\nepochs = 2\nwidths = {widths}\n")
    line = recipe.read_text().splitlines().index(f"widths = {widths}") + 1
    with pytest.raises(DimmerError) as caught:
        load_recipe(recipe)
    assert str(caught.value) == f"{recipe}, line {line}: teacher.widths = {widths}: {reason}"


@pytest.mark.parametrize("family", [*OWN])
def test_every_family_can_have_a_teacher(tmp_path: Path, family: str) -> None:
    wider = [2 * width for width in WIDTHS.get(family, [6, 6])]
    assert load_recipe(write(tmp_path, family, f"\n[teacher]\nepochs = 2\nwidths = {wider}\n")).teacher.epochs == 2


def test_a_default_that_does_not_fit_is_named(tmp_path: Path) -> None:
    recipe = write(tmp_path, "swin", "")
    recipe.write_text(recipe.read_text().replace("\nwindow = 2", ""))
    with pytest.raises(DimmerError, match=r"model\.window = 4: must divide every stage's height and width"):
        load_recipe(recipe)
