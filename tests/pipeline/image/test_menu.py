# SPDX-License-Identifier: Apache-2.0
"""The menu: which of a firmware's modes are chosen from, by their numbers, and what is said of the others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.image.menu import check_needs_no_figures, ids, menu_note, menu_of
from dimmer.pipeline.recipe.sections.policy import PolicySection
from tests.pipeline.artifact_examples import calibration

ACCURACY = {"88.88.88": 0.95, "80.88.88": 0.80, "80.80.80": 0.79}


def test_it_is_the_hull_of_validation_accuracy() -> None:
    modes = tuple(replace(mode, accuracy=ACCURACY[mode.name]) for mode in calibration().modes)
    found = replace(calibration(), validation_images=100_000, modes=modes)
    names = [mode.name for mode in modes]
    menu = menu_of({mode.name: mode.macs for mode in modes}, found)
    assert ids(menu, names) == [0, 2]
    assert menu_note(menu.left_out).startswith(
        "in flash and callable, but never chosen: 80.88.88: a mixture of 80.80.80"
    )
    dear = menu_of({"88.88.88": 1.0, "80.88.88": 2.0, "80.80.80": 3.0}, found)
    assert (ids(dear, names), dear.knee) == ([0], "88.88.88")
    assert menu_note({}) == ""


def test_a_policy_that_needs_figures_is_refused_without_them() -> None:
    check_needs_no_figures(PolicySection((500,)), "nobody knows")
    with pytest.raises(DimmerError, match=r"^policy\.max_ms: nobody knows: leave it out"):
        check_needs_no_figures(PolicySection(max_ms=1.0), "nobody knows")
