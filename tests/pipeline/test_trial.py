# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import trial
from tests.pipeline.training.small import RECIPE


def test_noise_of_a_recipe_is_learnt_for_some_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE)
    with pytest.raises(DimmerError, match="give --images"):
        trial.main(str(recipe), synthetic=True)
    trial.main(str(recipe), steps=2, synthetic=True, batch=8, lr=0.01, accumulate=2, images=80)
    *steps, last = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in steps] == ["1:", "2:"]
    assert "all 30 steps of the recipe" in last
    assert not list(tmp_path.glob("*/*"))
