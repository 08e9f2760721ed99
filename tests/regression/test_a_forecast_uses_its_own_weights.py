# SPDX-License-Identifier: Apache-2.0
"""A forecast builds in a folder of its own, in which alone its stages look for weights.

Calibration, export and verification looked where the model's own build lies: "has no trained weights", or the weights
of another training.
"""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from dimmer.errors import DimmerError
from dimmer.pipeline import calibrate, export, verify
from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.artifacts.checkpoint import training_folder
from dimmer.pipeline.artifacts.trained import find_checkpoint
from dimmer.pipeline.build import build
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.reporting import forecast
from dimmer.targets import load_target
from tests.own_data import cache
from tests.pipeline.reporting.test_forecast import recipe

__all__ = ["cache", "recipe"]


def test_stages_look_in_their_build(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path / "usual"))
    for place in ("usual", "elsewhere"):
        folder = training_folder(tmp_path / place / recipe.name)
        folder.mkdir(parents=True)
        (folder / "checkpoint.safetensors").touch()
    elsewhere, host = tmp_path / "elsewhere" / recipe.name, load_target("host")
    wanted = training_folder(elsewhere) / "checkpoint.safetensors"
    stages = (
        calibrate.stage(recipe, elsewhere, lambda *_: None),
        export.stage(recipe, elsewhere, lambda *_: None),
        verify.stage(recipe, elsewhere, host, lambda *_: None),
    )
    for stage in stages:
        assert [path for path in stage.inputs if path.name == wanted.name] == [wanted]
    wanted.unlink()
    with pytest.raises(DimmerError, match="has no trained weights"):
        find_checkpoint(recipe, elsewhere)


@pytest.mark.slow
def test_the_whole_of_it(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path / "usual"))
    context, told = BuildContext(recipe, load_target("host"), tmp_path / "usual" / recipe.name), io.StringIO()
    forecast.tell_before(context, lambda short: build(short, quiet=True), True, True, Console(file=told, width=160))
    assert "To expect, after" in told.getvalue()
    assert "Now the work." in told.getvalue()
    assert not (tmp_path / "usual").exists()
