# SPDX-License-Identifier: Apache-2.0
"""boards.json: what is written is read again, and new rows replace those of the same boards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dimmer.benchmarks.board_rows import MODELS, Cost, Figures, Row, read_figures, with_rows, write_figures
from tests.boards import REAL_BOARDS

ROW = Row("lamp", "pico", 2, 1000, 500, Cost("88", 90, 100), Cost("80", 40, None))
LARGE = Row("lamp", "pico2", 2, None, None, None, None, "too large")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    figures = Figures({"lamp": "abc"}, (ROW, LARGE))
    write_figures(figures, tmp_path / "boards.json")
    assert read_figures(tmp_path / "boards.json") == figures


def test_new_rows_replace_those_of_the_same_boards() -> None:
    other = replace(ROW, flash=7)
    figures = with_rows(Figures({}, ()), "lamp", "abc", [LARGE, ROW])
    assert figures.rows == (ROW, LARGE)
    assert with_rows(figures, "lamp", "abc", [other]).rows == (other, LARGE)
    # Of other files nothing stays.
    assert with_rows(figures, "lamp", "def", [other]).rows == (other,)
    first = replace(ROW, model=MODELS[0])
    assert with_rows(figures, MODELS[0], "x", [first]).rows == (first, ROW, LARGE)


def test_every_model_that_was_measured_was_on_every_board() -> None:
    rows = read_figures().rows
    assert rows
    for model in {row.model for row in rows}:
        assert sorted(row.board for row in rows if row.model == model) == REAL_BOARDS
