# SPDX-License-Identifier: Apache-2.0
"""What policies cost and bring."""

from __future__ import annotations

import numpy as np
import pytest

from dimmer.pipeline.verification.simulation.fleet import REPORT
from dimmer.pipeline.verification.simulation.policies import (
    EvenSpending,
    FixedModes,
    Governor,
    Seen,
    governor_section,
    policies_names,
)
from tests.pipeline.verification.simulation.shared import SETTING, deadline

BOARD = SETTING.boards["nrf52840"]


def seen(rows: int, wanted: int) -> Seen:
    reports = np.zeros((rows, 2), REPORT)
    reports["charge_permille"] = 1000
    return Seen(0, reports, np.full(2, wanted, np.uint32))


def test_fixed_modes_cost_and_bring_their_own() -> None:
    fixed = FixedModes(SETTING, BOARD)
    cost, right = fixed.step(seen(len(SETTING.modes), 10))
    assert cost[0, 1] == pytest.approx(10 * BOARD.millijoules(SETTING.cycles[0]))
    assert right[0, 1] == pytest.approx(10 * SETTING.accuracy[0])


def test_even_spending_spends_what_it_is_told() -> None:
    scenario = deadline()
    between = (SETTING.cycles[SETTING.hull[1]] + SETTING.cycles[SETTING.hull[2]]) / 2
    power = scenario.idle_mw(BOARD) + BOARD.millijoules(between) / scenario.period_s
    cost, right = EvenSpending(SETTING, BOARD, scenario, power).step(seen(1, 100))
    assert cost[0, 0] == pytest.approx(100 * BOARD.millijoules(between))
    assert right[0, 0] == pytest.approx(100 * SETTING.mixed(between))


def test_a_governor_s_first_budget_is_that_of_even_spending() -> None:
    scenario = deadline()
    section = governor_section(scenario, BOARD, scenario.days)
    governor = Governor("governor", SETTING, BOARD, section, 2)
    even = EvenSpending(SETTING, BOARD, scenario, 0.98 * scenario.capacity_mj(BOARD) / (scenario.days * 86_400))
    cost, _ = governor.step(seen(1, 1000))
    assert cost[0, 0] == pytest.approx(float(even.step(seen(1, 1000))[0][0, 0]), rel=0.01)
    assert policies_names([governor, even]) == ("governor", "even spending")
