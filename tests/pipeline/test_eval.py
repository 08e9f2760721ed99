# SPDX-License-Identifier: Apache-2.0
"""`dimmer eval` scores a mode of a built model."""

from __future__ import annotations

import pytest

from dimmer.pipeline import eval as verb
from dimmer.pipeline import firmware
from dimmer.targets import load_target
from tests.tiny import TinyBuild, silent


def test_scores_of_a_mode(tiny_converted: TinyBuild, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tiny_converted.recipe
    firmware.run(recipe, tiny_converted.build, load_target("host"), silent)
    verb.main(str(recipe.path), "80.80")
    said = capsys.readouterr().out
    for word in (
        "80.80, 1,000 test samples",
        "accuracy",
        "F1, mean of classes",
        "taken for",
        "The worst",
        "test image",
    ):
        assert word in said
