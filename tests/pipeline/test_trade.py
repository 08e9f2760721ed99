# SPDX-License-Identifier: Apache-2.0
"""The command that prints what less scratch costs."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import trade
from dimmer.pipeline.artifacts.cycles import Cycles
from dimmer.pipeline.image.trade import Trade
from tests.firmware_gen.modes import write_modes


def test_each_limit_is_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        Trade(9000, 60_000, 16_384, 9_100, ()),
        Trade(7000, 40_000, 500, 9_000, (1_000_000, 900_000)),
        Trade(0, 30_000, 400, 8_000, (2_000_000, 1_900_000)),
    ]
    monkeypatch.setattr(trade, "trades", lambda *_: rows)
    files = [mode.path for mode in write_modes(tmp_path)[:2]]
    trade.main("mps2-an386", files, "mnist5k-r14")
    said = capsys.readouterr().out
    assert "on mps2-an386, whose scratch_limit is" in said
    cells = [[cell.strip() for cell in line.strip("│ ").split("│")] for line in said.splitlines() if "│" in line]
    assert ["9,000", "60,000", "76,384", "9,100", "does not fit"] in cells
    assert ["7,000", "40,000", "40,500", "9,000", "1,000,000", "900,000"] in cells
    assert ["0", "30,000", "30,400", "8,000", "2,000,000", "1,900,000"] in cells


def test_cycles_stand_beside_instructions_with_their_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        Trade(9000, 60_000, 16_384, 9_100, ()),
        Trade(7000, 40_000, 500, 9_000, (1_000_000,), (Cycles(1_600_000, "model"),)),
    ]
    monkeypatch.setattr(trade, "trades", lambda *_: rows)
    trade.main("mps2-an386", [write_modes(tmp_path)[0].path], "mnist5k-r14")
    said = capsys.readouterr().out
    assert "888, instructions" in said
    assert "888, cycles" in said
    assert "~1,600,000" in said
    assert "too few" in said


def test_a_target_of_bundles_is_refused() -> None:
    with pytest.raises(DimmerError, match="jetson takes a bundle, no firmware"):
        trade.main("jetson", None, "mnist5k-r14")
