# SPDX-License-Identifier: Apache-2.0
"""Changes of a recipe from a command line."""

from __future__ import annotations

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.recipe.changes import read_changes


def test_values_are_written_as_in_a_recipe() -> None:
    assert read_changes(["gates.only_budget=0.25", " gates.options = [8, 0]"], "gates") == {
        "gates.only_budget": 0.25,
        "gates.options": [8, 0],
    }
    texts = ['train.precision = "fp32"', "train.augmentation.flip=true"]
    assert read_changes(texts, "train") == {"train.precision": "fp32", "train.augmentation.flip": True}
    assert read_changes((), "gates") == {}


def test_another_section_s_keys_are_refused() -> None:
    with pytest.raises(DimmerError, match=r"--change 'train\.lr=1': is for keys of \[gates\]; write others into a"):
        read_changes(["gates.lr=1", "train.lr=1"], "gates")


@pytest.mark.parametrize("wrong", ["", "gates.epochs", "=3", "gates.options=fp32", "gates.lr=", "gates.lr=1\nlr=2"])
def test_what_is_written_otherwise_is_refused_with_an_example(wrong: str) -> None:
    with pytest.raises(DimmerError, match=r"--change .*: write section\.key=value as in a recipe, such as gates\.only"):
        read_changes([wrong], "gates")
