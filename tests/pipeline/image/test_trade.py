# SPDX-License-Identifier: Apache-2.0
"""RAM against speed."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.image.order import Order, foreign_order
from dimmer.pipeline.image.trade import limits, trades
from dimmer.targets import load_target
from tests.firmware_gen.modes import write_modes
from tests.pipeline.artifact_examples import firmware
from tests.tiny import silent

BOARD = "mps2-an386"


def order_of(folder: Path) -> Order:
    return foreign_order([mode.path for mode in write_modes(folder)], samples=0)


@pytest.mark.slow
def test_limits_are_those_with_arenas_of_their_own(tmp_path: Path) -> None:
    found = limits(order_of(tmp_path), load_target(BOARD))
    assert len(found) > 2
    assert list(found) == sorted(found, reverse=True)


@pytest.mark.slow
@pytest.mark.board(BOARD)
def test_less_scratch_is_slower_or_not_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = order_of(tmp_path)
    every = limits(order, load_target(BOARD))
    monkeypatch.setattr("dimmer.pipeline.image.trade.limits", lambda *_: (every[0], every[len(every) // 2], every[-1]))
    found = trades(order, load_target(BOARD), silent)
    assert len(found) >= 2
    for brighter, dimmer in itertools.pairwise(found):
        assert dimmer.arena < brighter.arena
        assert dimmer.instructions[0] > brighter.instructions[0]


def test_what_another_limit_beats_in_both_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arena and instructions of the top mode, limit by limit."""
    given = {900: (50, 10), 700: (40, 12), 500: (40, 15), 300: (30, 11)}

    def made(_order: Order, target: object, *_: object) -> object:
        arena, count = given[target.scratch_limit]  # type: ignore[attr-defined]
        whole = firmware()
        modes = (replace(whole.modes[0], instructions=count), *whole.modes[1:])
        return replace(whole, ram=replace(whole.ram, arena=arena), modes=modes)

    monkeypatch.setattr("dimmer.pipeline.image.trade.limits", lambda *_: tuple(given))
    monkeypatch.setattr("dimmer.pipeline.image.trade.make", made)
    found = trades(order_of(tmp_path), load_target(BOARD), silent)
    assert [(trade.scratch_limit, trade.arena, trade.instructions[0]) for trade in found] == [
        (900, 50, 10),
        (300, 30, 11),
    ]
    assert (found[0].stack, found[0].code) == (512, 250)


def test_a_target_without_a_counter_has_no_trade(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match="no instruction counter"):
        trades(order_of(tmp_path), load_target("host"), silent)
