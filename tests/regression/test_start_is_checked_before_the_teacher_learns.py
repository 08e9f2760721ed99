# SPDX-License-Identifier: Apache-2.0
"""With a teacher, a missing --start file was told only after hours of the teacher's training."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.training import loop
from dimmer.pipeline.training.loop import train
from dimmer.pipeline.training.settings import TrainingSettings
from tests.tiny import TINY_NARROW


@pytest.mark.parametrize("start", ["missing", "damaged"])
def test_a_start_that_cannot_be_used(start: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_teacher", lambda *_: pytest.fail("the teacher learns"))
    recipe = tmp_path / "lamp" / "recipe.toml"
    recipe.parent.mkdir()
    recipe.write_text(f"{TINY_NARROW}\n[teacher]\nepochs = 5\nwidths = [8, 16]\n")
    file = tmp_path / "start.safetensors"
    if start == "damaged":
        file.write_bytes(b"no checkpoint")
    with pytest.raises(DimmerError, match=r"start\.safetensors"):
        train(TrainingSettings.of(load_recipe(recipe)), tmp_path / "out", start=file)
