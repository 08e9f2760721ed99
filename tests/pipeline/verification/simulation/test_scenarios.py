# SPDX-License-Identifier: Apache-2.0
"""Scenarios by name and by kind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.verification.simulation.scenarios import Kind, scenarios_of
from tests.pipeline.verification.simulation.shared import SETTING, deadline


def test_all_kinds_are_there_and_names_are_unique() -> None:
    every = scenarios_of(["all"], SETTING)
    assert {scenario.kind for scenario in every} == set(Kind)
    assert len({scenario.name for scenario in every}) == len(every) == 20
    assert [s.name for s in scenarios_of(["endless", "endless"], SETTING)] == ["endless nrf52840"]
    assert scenarios_of(["solar 1 cm2 20 J"], SETTING)[0].panel is not None


def test_the_larger_board_s_deadlines_allow_as_many_cycles() -> None:
    def cycles(name: str) -> float:
        scenario = scenarios_of([name], SETTING)[0]
        board = SETTING.boards[scenario.board]
        power = 0.95 * scenario.capacity_mj(board) / (scenario.days * 86_400) - scenario.idle_mw(board)
        return power * scenario.period_s / board.millijoules(1)

    names = [scenario.name for scenario in scenarios_of(["deadline"], SETTING)]
    for coin, other in zip(names[:3], names[3:], strict=True):
        assert cycles(other) == pytest.approx(cycles(coin), rel=0.02)


def test_cold_and_load_leave_less_of_a_cell() -> None:
    board = SETTING.boards["nucleo-l4r5zi"]
    warm = replace(deadline(), cell="li-ion")
    assert replace(warm, celsius=-10).capacity_mj(board) < 0.8 * warm.capacity_mj(board)
    # 15 mAh at 3.7 V, less what the load cannot reach.
    assert warm.capacity_mj(board) < 15 * 3600 * 3.7


def test_an_unknown_scenario_is_told() -> None:
    with pytest.raises(DimmerError, match="no scenario is called lunar: take all, deadline, solar"):
        scenarios_of(["lunar"], SETTING)
