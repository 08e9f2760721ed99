# SPDX-License-Identifier: Apache-2.0
"""Devices as they are drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dimmer.pipeline.verification.simulation.devices import draw
from dimmer.pipeline.verification.simulation.scenarios import Spread, scenarios_of
from tests.pipeline.verification.simulation.shared import SETTING, deadline, sunny

BOARD = SETTING.boards["nrf52840"]


def test_the_same_seed_gives_the_same_devices() -> None:
    scenario = deadline(spread=Spread())
    one, same, other = (draw(scenario, BOARD, 100, seed, 3) for seed in (1, 1, 2))
    assert (one.capacity == same.capacity).all()
    assert (one.daily == same.daily).all()
    assert (one.noise.random(5) == same.noise.random(5)).all()
    assert (one.capacity != other.capacity).all()
    assert (one.capacity != draw(scenario, BOARD, 100, 1, 4).capacity).all()


def test_they_spread_as_the_scenario_says() -> None:
    scenario = deadline(spread=Spread())
    devices = draw(scenario, BOARD, 4000, 0, 0)
    nominal = scenario.capacity_mj(BOARD)
    assert devices.capacity.mean() / nominal == pytest.approx(0.95, abs=0.01)
    assert devices.capacity.std() / nominal == pytest.approx(0.10, abs=0.01)
    assert devices.rate.mean() == pytest.approx(0.1, rel=0.02)
    assert devices.daily.mean() == pytest.approx(1, abs=0.02)


def test_a_panel_s_day(tmp_path: Path) -> None:
    scenario = sunny(tmp_path, days=2)
    devices = draw(scenario, BOARD, 3, 0, 0)
    assert devices.harvest is not None
    assert devices.harvest.shape == (48, 3)
    assert devices.harvest[:6].sum() == 0
    # 3,600 Wh a square metre under a clear sky, of which clouds leave 8 to 100 %, and a tenth of spread.
    clear = 3600 * 3600 * 1000 * 0.25e-4 * 0.12
    assert (devices.harvest[:24].sum(0) < 1.5 * clear).all()
    assert (devices.harvest[:24].sum(0) > 0.05 * clear).all()
    slower = draw(replace(scenario, report_s=7200), BOARD, 3, 0, 0)
    faster = draw(replace(scenario, report_s=600), BOARD, 3, 0, 0)
    assert slower.harvest is not None
    assert faster.harvest is not None
    assert slower.harvest.sum() == pytest.approx(devices.harvest.sum())
    assert faster.harvest.sum() == pytest.approx(devices.harvest.sum())


def test_chargers_come_as_often_as_they_should() -> None:
    scenario = scenarios_of(["recharge exponential 6 d"], SETTING)[0]
    devices = draw(scenario, BOARD, 500, 0, 0)
    assert devices.charger is not None
    assert devices.charger.sum() / 500 == pytest.approx(120 / 6, rel=0.05)
    assert not np.array_equal(devices.charger[:, 0], devices.charger[:, 1])
