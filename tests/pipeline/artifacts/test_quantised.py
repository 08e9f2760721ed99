# SPDX-License-Identifier: Apache-2.0
"""quantised.json is written, read, and told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.quantised import ChosenRange, Cost, Quantised

COST = Cost(300, True, 38.04, 0.0123, 0.2, 0.99, 0.97, 0.965)
RANGES = (ChosenRange(("x",), -1.0, 1.0, "mse", 1e-4), ChosenRange(("y",), 0.0, 1.0, "fixed", None))
FOUND = Quantised("net.keras", "net.tflite", "samples.npz", 256, 100, RANGES, COST)


def test_there_and_back(tmp_path: Path) -> None:
    FOUND.save(tmp_path)
    assert Quantised.load(tmp_path) == FOUND
    with pytest.raises(DimmerError, match="is not there"):
        Quantised.load(tmp_path / "nowhere")


def test_lines() -> None:
    assert FOUND.lines() == [
        "net.keras quantised: 2 ranges (1 fixed, 1 mse) chosen on 256 samples",
        "outputs against float on 300 other samples: 38.0 dB, mean error 0.0123, largest 0.2, "
        "largest output the same in 99.0%",
        "accuracy on 300 other samples: 97.0% in float, 96.5% in int8",
    ]
    bare = replace(FOUND, cost=Cost(9, False, 38.04, 0.0123, 0.2, None, None, None)).lines()
    assert bare[1:] == ["outputs against float on 9 of these samples: 38.0 dB, mean error 0.0123, largest 0.2"]
