# SPDX-License-Identifier: Apache-2.0
"""The mode to fix where nothing ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dimmer.pipeline.verification.simulation.advice import fixed_mode
from dimmer.pipeline.verification.simulation.scenarios import scenarios_of
from tests.pipeline.verification.simulation.shared import SETTING

ENDLESS = scenarios_of(["endless"], SETTING)[0]


def test_the_cheapest_mode_gives_most_answers_and_a_better_one_most_over_a_floor() -> None:
    advice = fixed_mode(ENDLESS, SETTING)
    assert (advice.mode, advice.over_floor) == ("20.20.20", "40.40.44")
    board = SETTING.boards["nrf52840"]
    power = ENDLESS.idle_mw(board) + board.millijoules(SETTING.cycles[-1]) / 10
    assert advice.days == pytest.approx(0.95 * ENDLESS.capacity_mj(board) / power / 86_400)
    assert "Take 20.20.20" in advice.text()


def test_a_large_overhead_makes_better_modes_pay() -> None:
    hungry = replace(ENDLESS, more_sleep_ua=2000)
    assert fixed_mode(hungry, SETTING).mode == "44.44.44"
