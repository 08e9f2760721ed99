# SPDX-License-Identifier: Apache-2.0
"""Where builds live."""

import dataclasses
from pathlib import Path

import pytest

from dimmer.pipeline.artifacts.context import build_folder, builds
from dimmer.pipeline.core.stage import ROOT
from dimmer.pipeline.recipe.recipe import load_recipe


def test_builds_lie_in_the_checkout_or_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = dataclasses.replace(load_recipe("mnist5k-r14"), name="lamp")
    monkeypatch.delenv("DIMMER_BUILD", raising=False)
    assert builds() == ROOT / "build"
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path))
    assert build_folder(recipe) == tmp_path / "lamp"
