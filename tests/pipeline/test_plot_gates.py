# SPDX-License-Identifier: Apache-2.0
"""The command that draws gates beside static modes."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import plot_gates


def test_the_picture_is_written_where_it_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[list[Path]] = []

    def lines_of(histories: list[Path]) -> dict[str, list[tuple[float, float]]]:
        asked.append(histories)
        return {"gates, one & two": [(0.5, 90.0), (0.2, 85.0)]}

    monkeypatch.setattr(plot_gates, "lines_of", lines_of)
    histories = [tmp_path / "a.json", tmp_path / "b.json"]
    plot_gates.main(tmp_path / "docs" / "gates.svg", histories)
    assert asked == [histories]
    text = (tmp_path / "docs" / "gates.svg").read_text()
    assert "gates, one &amp; two" in text
    assert "cost, of the 8-bit super-net" in text
    assert capsys.readouterr().out == f"{tmp_path / 'docs' / 'gates.svg'}\n"


def test_a_file_that_is_no_history_leaves_no_picture(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(DimmerError, match="is no history of gates"):
        plot_gates.main(tmp_path / "gates.svg", [tmp_path / "a.json"])
    assert not (tmp_path / "gates.svg").exists()
