# SPDX-License-Identifier: Apache-2.0
"""Tables and progress are readable on a wide terminal, on a narrow one and in a file."""

from __future__ import annotations

import pytest
from rich.table import Table

from dimmer.pipeline.core.terminal import LOG_SECONDS, LOG_WIDTH, console, log_lines, progress_bar, silence, stacked
from dimmer.pipeline.core.terminal import time_left as left


def lamps() -> Table:
    table = Table(title="lamps")
    for heading in ("mode", "accuracy", "instructions"):
        table.add_column(heading)
    table.add_row("88.88.88", "98.20%", "14,196,573")
    table.add_row("80.80.80", "", "7,032,698")
    return table


def test_a_log_gets_a_line_every_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    seconds = iter([0.0, 0.1, 1.0, LOG_SECONDS - 0.1, LOG_SECONDS, LOG_SECONDS + 0.1, 3 * LOG_SECONDS])
    progress = log_lines("train", lambda: next(seconds))
    for number in range(6):
        progress(f"epoch {number}", number / 10)
    progress("epoch 4", 0.6)
    assert capsys.readouterr().err.splitlines() == ["train:   0% epoch 0", "train:  40% epoch 4"]


def test_every_step_says_once_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    for step in ("train", "export"):
        with progress_bar(step) as progress:
            for number in range(100):
                progress(f"part {number}", number / 100)
    said = capsys.readouterr()
    assert said.err.splitlines() == ["train:   0% part 0", "export:   0% part 0"]
    assert not said.out


def test_silence_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with silence() as progress:
        progress("epoch 1", 0.0)
    assert capsys.readouterr() == ("", "")


def test_tables_of_a_log_are_as_wide_as_every_table_needs() -> None:
    assert console().width == LOG_WIDTH


def test_a_table_that_is_too_wide_is_printed_row_by_row(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = console()
    terminal.print(lamps())
    assert "┃ accuracy ┃" in capsys.readouterr().out
    terminal.width = 30
    terminal.print(lamps())
    assert capsys.readouterr().out.splitlines() == list(stacked(lamps()))
    assert list(stacked(lamps())) == [
        "lamps",
        "88.88.88",
        "  accuracy      98.20%",
        "  instructions  14,196,573",
        "80.80.80",
        "  instructions  7,032,698",
    ]


@pytest.mark.parametrize(
    ("elapsed_s", "share", "text"),
    [(10.0, 0.0, ""), (1.0, 0.5, ""), (30.0, 0.5, "30 s left"), (600.0, 0.25, "30 min left"), (9.0, 1.0, "0 s left")],
)
def test_the_time_that_is_left(elapsed_s: float, share: float, text: str) -> None:
    assert left(elapsed_s, share) == text
