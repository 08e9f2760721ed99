# SPDX-License-Identifier: Apache-2.0
"""Every task has its scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dimmer.pipeline.data.own import DataSection
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.verification.scoring import scores_of
from tests.own_data import cache, own

__all__ = ["cache"]


def test_values_have_their_units(tmp_path: Path, cache: Path) -> None:
    x = np.random.default_rng(0).standard_normal((40, 8, 1)).astype(np.float32)
    np.savez(tmp_path / "x.npz", x=x, load=np.arange(40))
    section = DataSection("windows", "x.npz", "values", ("load",), ("kg",), window=8, channels=("a",), label=("load",))
    data = own(tmp_path, section)
    test = load_dataset(data).test
    found = scores_of(data, test.labels, test.labels, ("load",))
    assert (found.figures[0].value, found.figures[1].value, found.figures[1].unit) == (1, 0, "kg")


def test_targets_tell_the_task() -> None:
    labels = scores_of("mnist5k", np.array([[1.0, -1.0]]), np.array([[1, 0]], np.uint8), ("red", "wet"))
    assert labels.figures[0].name == "accuracy, all labels"
    classes = scores_of("mnist5k", np.array([[1.0, -1.0]]), np.array([0]), ("a", "b"))
    assert classes.confusion == ((1, 0), (0, 0))
