# SPDX-License-Identifier: Apache-2.0
"""What a model takes on a board: counted on the emulated board with the same core, compiled for the board."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.benchmarks.board_rows import Cost
from dimmer.benchmarks.boards import measure, real_boards, row_of
from dimmer.pipeline.image.make import Counted
from dimmer.pipeline.image.order import foreign_order
from dimmer.targets import load_target
from tests.boards import REAL_BOARDS
from tests.firmware_gen.modes import MODES, write_modes
from tests.tiny import TinyBuild, silent


def test_every_board_of_ours_is_real() -> None:
    assert [*real_boards()] == REAL_BOARDS


@pytest.mark.slow
@pytest.mark.board("nrf52840dk")
def test_a_row(tmp_path: Path) -> None:
    """Dearest and cheapest by cycles where they are known; what does not fit says why."""
    modes = write_modes(tmp_path)
    order = foreign_order([mode.path for mode in modes], 0, "lamp")
    counted = Counted(
        dict(zip(MODES, (300, 200, 100), strict=True)), {}, dict(zip(MODES, (250, 350, 110), strict=True))
    )
    board = load_target("nrf52840dk")
    row = row_of(order, board, counted)
    assert row.dearest == Cost("880", 200, 350)
    assert row.cheapest == Cost("800", 100, 110)
    assert row.flash is not None
    assert row.ram is not None
    assert 10_000 < row.flash < 60_000
    assert 1_000 < row.ram < 30_000
    assert board.memory is not None
    small = replace(board, memory=replace(board.memory, flash=replace(board.memory.flash, size=4096)))
    assert "lamp does not fit nrf52840dk: flash:" in row_of(order, small, counted).misfit


@pytest.mark.slow
@pytest.mark.board("mps2-an386")
@pytest.mark.board("nrf52840dk")
def test_a_model_is_measured(tiny_converted: TinyBuild) -> None:
    board = load_target("nrf52840dk")
    ((digest, row),) = measure(tiny_converted.recipe, [board], silent)
    assert len(digest) == 64
    assert row.modes >= 2
    assert row.dearest is not None
    assert row.cheapest is not None
    assert row.dearest.instructions > row.cheapest.instructions
    assert row.dearest.cycles is not None
    assert row.dearest.cycles > row.dearest.instructions
