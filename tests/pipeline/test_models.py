# SPDX-License-Identifier: Apache-2.0
"""The list of models."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import models
from dimmer.project import MODELS
from tests.tiny import TINY


def test_own_models_and_the_project_s_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in (("door", TINY), ("broken", "[model]")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "recipe.toml").write_text(text)
    monkeypatch.setenv("DIMMER_MODELS", str(tmp_path))
    models.main()
    shown = capsys.readouterr().out
    assert "resnet, 4 blocks" in shown
    assert [name for name in ("broken", "cifar10-r14", "door", "mnist5k-r14") if name not in shown] == []
    assert "key 'family' is missing" in " ".join(shown.split())


def test_one_says_where_it_lies(capsys: pytest.CaptureFixture[str]) -> None:
    models.main("mnist5k-r14")
    path = Path(capsys.readouterr().out.removesuffix("\n"))
    assert path == MODELS / "mnist5k-r14" / "recipe.toml"
    with pytest.raises(DimmerError, match="no model 'lamp'"):
        models.main("lamp")
