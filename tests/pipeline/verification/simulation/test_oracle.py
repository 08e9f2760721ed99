# SPDX-License-Identifier: Apache-2.0
"""Oracles: no policy is better, and where both exist the linear program agrees with the closed form."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.pipeline.core.extras import missing_packages
from dimmer.pipeline.verification.simulation.devices import draw
from dimmer.pipeline.verification.simulation.experiment import Part, simulate_part
from dimmer.pipeline.verification.simulation.oracle import (
    daily_oracle,
    deadline_oracle,
    endless_oracle,
    recharge_oracle,
)
from dimmer.pipeline.verification.simulation.policies import FixedModes
from dimmer.pipeline.verification.simulation.scenarios import Spread, scenarios_of
from dimmer.pipeline.verification.simulation.world import live
from tests.pipeline.verification.simulation.shared import SETTING, deadline, sunny

BOARD = SETTING.boards["nrf52840"]
needs_scipy = pytest.mark.skipif(bool(missing_packages(["scipy"])), reason="needs pip install 'dimmer-nn[simulate]'")


@needs_scipy
@pytest.mark.parametrize("capacity_mah", [5.0, 12.0, 60.0])
def test_the_program_agrees_with_even_spending(capacity_mah: float) -> None:
    scenario = deadline(days=6, capacity_mah=capacity_mah, spread=Spread())
    devices = draw(scenario, BOARD, 3, 0, 0)
    events = devices.rate * devices.daily.sum(0) * 86_400
    closed, _ = deadline_oracle(scenario, SETTING, BOARD, devices, events)
    for which in range(3):
        program = daily_oracle(scenario, SETTING, BOARD, devices, which, budget_only=True)
        assert program == pytest.approx(closed[which], abs=1e-6)


@needs_scipy
def test_nobody_beats_the_program_under_the_sun(tmp_path: Path) -> None:
    outcome = simulate_part(sunny(tmp_path), SETTING, Part(0, 0, 6, 6))
    assert (outcome.right <= outcome.oracle + 1e-3).all()
    assert (outcome.oracle > 0.5).all()


@needs_scipy
def test_a_store_that_does_not_carry_the_sleep_has_no_oracle(tmp_path: Path) -> None:
    """One milliwatt of sleep is more than the panel brings."""
    scenario = replace(sunny(tmp_path), more_sleep_ua=1e4)
    devices = draw(scenario, BOARD, 2, 0, 0)
    assert math.isnan(daily_oracle(scenario, SETTING, BOARD, devices, 0))


def test_nobody_beats_who_knows_the_charger() -> None:
    scenario = scenarios_of(["recharge exponential 6 d"], SETTING)[0]
    devices = draw(scenario, BOARD, 10, 0, 0)
    lives = live(scenario, BOARD, devices, [FixedModes(SETTING, BOARD)])
    assert (lives.right <= recharge_oracle(scenario, SETTING, BOARD, devices) + 0.01).all()


def test_without_an_end_the_best_fixed_mode_is_the_oracle() -> None:
    scenario = scenarios_of(["endless"], SETTING)[0]
    devices = draw(scenario, BOARD, 5, 0, 0)
    lives = live(scenario, BOARD, devices, [FixedModes(SETTING, BOARD)])
    assert lives.right.max(0) == pytest.approx(endless_oracle(scenario, SETTING, BOARD, devices), abs=1e-3)
