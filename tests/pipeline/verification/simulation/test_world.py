# SPDX-License-Identifier: Apache-2.0
"""Devices spend, harvest and die as they should."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dimmer.pipeline.verification.simulation.devices import draw
from dimmer.pipeline.verification.simulation.policies import FixedModes, Governor, governor_section
from dimmer.pipeline.verification.simulation.scenarios import Spread, scenarios_of
from dimmer.pipeline.verification.simulation.world import live
from tests.pipeline.verification.simulation.shared import SETTING, deadline, sunny

BOARD = SETTING.boards["nrf52840"]


def test_a_fixed_mode_lives_as_long_as_energy_over_power() -> None:
    scenario = deadline(days=20, capacity_mah=15)
    devices = draw(scenario, BOARD, 3, 0, 0)
    lives = live(scenario, BOARD, devices, [FixedModes(SETTING, BOARD)])
    for mode, cycles in enumerate(SETTING.cycles):
        power = scenario.idle_mw(BOARD) + BOARD.millijoules(cycles) / scenario.period_s
        share = min(scenario.capacity_mj(BOARD) / power / (20 * 86_400), 1)
        assert lives.alive[mode, 0] == pytest.approx(share, rel=0.01)
        assert lives.right[mode, 0] == pytest.approx(share * SETTING.accuracy[mode], rel=0.01)
        assert lives.worst_day[mode, 0] == pytest.approx(SETTING.accuracy[mode] if share == 1 else 0, abs=0.01)


def test_stepping_through_every_choice_changes_nothing() -> None:
    scenario = deadline(days=4, capacity_mah=10, spread=Spread())
    right = []
    for each in (False, True):
        devices = draw(scenario, BOARD, 20, 0, 0)
        section = governor_section(scenario, BOARD, scenario.days)
        lives = live(scenario, BOARD, devices, [Governor("governor", SETTING, BOARD, section, 20, each)])
        right.append(lives.right)
    assert np.array_equal(right[0], right[1])


def test_the_governor_lives_to_the_deadline_where_its_fixed_neighbours_do_not_or_are_worse() -> None:
    scenario = deadline(days=8, capacity_mah=15)
    devices = draw(scenario, BOARD, 5, 0, 0)
    section = governor_section(scenario, BOARD, scenario.days)
    governor = Governor("governor", SETTING, BOARD, section, 5)
    lives = live(scenario, BOARD, devices, [FixedModes(SETTING, BOARD), governor])
    assert (lives.alive[-1] == 1).all()
    assert (lives.right[-1] > lives.right[:-1].max(0)).all()


def test_what_is_harvested_is_kept_up_to_the_store(tmp_path: Path) -> None:
    scenario = sunny(tmp_path)
    devices = draw(scenario, BOARD, 4, 0, 0)
    assert devices.harvest is not None
    lives = live(scenario, BOARD, devices, [FixedModes(SETTING, BOARD)])
    energy = devices.harvest.sum(0) + devices.capacity / 2
    spent = lives.right[0] / SETTING.accuracy[0] * lives.events * BOARD.millijoules(SETTING.cycles[0])
    assert (spent < energy).all()
    assert (lives.alive[0] < lives.alive[-1]).all()


def test_a_charger_fills_the_cell() -> None:
    scenario = replace(scenarios_of(["recharge uniform 6 d"], SETTING)[0], days=30)
    devices = draw(scenario, BOARD, 30, 0, 0)
    lives = live(scenario, BOARD, devices, [FixedModes(SETTING, BOARD)])
    cheapest = list(SETTING.modes).index("20.20.20")
    assert lives.alive[cheapest].mean() > 0.99
    assert (lives.alive[0] <= lives.alive[cheapest]).all()
