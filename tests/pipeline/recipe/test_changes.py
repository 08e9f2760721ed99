# SPDX-License-Identifier: Apache-2.0
"""Changes of a recipe from a command line."""

from __future__ import annotations

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.recipe.changes import read_changes


def test_values_are_written_as_in_a_recipe() -> None:
    texts = [
        "gates.only_budget=0.25",
        ' train.precision = "fp32"',
        "gates.options = [8, 0]",
        "train.augmentation.flip=true",
    ]
    assert read_changes(texts) == {
        "gates.only_budget": 0.25,
        "train.precision": "fp32",
        "gates.options": [8, 0],
        "train.augmentation.flip": True,
    }
    assert read_changes(()) == {}


@pytest.mark.parametrize("wrong", ["", "gates.epochs", "=3", "train.precision=fp32", "gates.lr=", "gates.lr=1\nlr=2"])
def test_what_is_written_otherwise_is_refused_with_an_example(wrong: str) -> None:
    with pytest.raises(DimmerError, match=r"--change .*: write section\.key=value as in a recipe, such as gates\.only"):
        read_changes([wrong])
