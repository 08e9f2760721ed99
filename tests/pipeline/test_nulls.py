# SPDX-License-Identifier: Apache-2.0
"""The command that compares modes and gates with their nulls."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import nulls
from dimmer.pipeline.core.statistics import Interval
from dimmer.pipeline.reporting.experiments.nulls import Against, InputValue


def test_what_was_compared_is_told_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    above = [
        Against(
            "40.44.44", "cycles", 14_443_359.0, 89.74, {"22.22.22": 0.25, "44.44.44": 0.75}, Interval(1.2, 0.9, 1.5)
        )
    ]
    values = [InputValue(0.6, 90.0, 89.5, Interval(0.5, 0.1, 0.9))]
    asked = []

    def compare(
        recipe: object, costs: object, images: int | None, permutations: int, progress: object, trained: object
    ) -> object:
        asked.append((images, permutations, trained))
        return above, values if permutations else []

    monkeypatch.setattr(nulls, "compare", compare)
    nulls.main("cifar10-r14", images=500, out=tmp_path / "nulls.json")
    said = capsys.readouterr().out
    assert "+1.20 (+0.90 to +1.50)" in said
    assert "14,443,359" in said
    assert "25% 22.22.22, 75% 44.44.44" in said
    assert "+0.50 (+0.10 to +0.90)" in said
    written = json.loads((tmp_path / "nulls.json").read_text())
    assert written["time_sharing"][0]["above"] == {"value": 1.2, "low": 0.9, "high": 1.5}
    assert written["permuted"][0]["permuted"] == 89.5
    nulls.main("cifar10-r14", gates=False, out=tmp_path / "nulls.json")
    assert asked == [(500, 2, []), (None, 0, [])]
    assert "permuted choices" not in capsys.readouterr().out
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "gates.safetensors").touch()
    trained = [tmp_path / "one", tmp_path / "two" / "gates.safetensors"]
    nulls.main("cifar10-r14", trained=trained, out=tmp_path / "nulls.json")
    assert asked[2] == (None, 2, [tmp_path / "one" / "gates.safetensors", trained[1]])
    with pytest.raises(DimmerError, match=r"three: there are no gates; pipeline\.train_gates --out FOLDER trains some"):
        nulls.main("cifar10-r14", trained=[tmp_path / "three"], out=tmp_path / "nulls.json")
