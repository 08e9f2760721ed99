# SPDX-License-Identifier: Apache-2.0
"""Devices as they truly are: drawn for a scenario from a seed, the same for every policy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dimmer.pipeline.verification.simulation.scenarios import DAY_S, Kind, Scenario
from dimmer.pipeline.verification.simulation.setting import Board, Floats
from dimmer.pipeline.verification.simulation.sun import clear_sky, clouds

JOULES_OF_WATT_HOUR = 3600.0


@dataclass(frozen=True)
class Devices:
    """Some devices of a scenario, and what comes to them.

    Attributes:
        count: n.
        capacity: float64[n], usable millijoules of the full store.
        idle: float64[n], milliwatts between inferences, self-discharge included.
        rate: float64[n], events a second on an average.
        daily: float64[days, n], what the rate is multiplied with.
        drift: float64[n], error of the gauge.
        harvest: float64[steps, n], millijoules between two reports; None for none.
        charger: bool[steps, n], whether the charger comes; None where there is none.
        noise: draws the gauge's errors, step by step.
    """

    count: int
    capacity: Floats
    idle: Floats
    rate: Floats
    daily: Floats
    drift: Floats
    harvest: Floats | None
    charger: npt.NDArray[np.bool_] | None
    noise: np.random.Generator


def draw(scenario: Scenario, board: Board, count: int, seed: int, chunk: int) -> Devices:
    """Draws devices.

    Args:
        chunk: number of this part of the fleet: the same devices come, whoever simulates it.
    """
    rng = np.random.default_rng((seed, chunk))
    spread, days = scenario.spread, int(np.ceil(scenario.days))
    nominal = scenario.capacity_mj(board)
    capacity = nominal * np.clip(rng.normal(spread.capacity_mean, spread.capacity, count), 0.5, 1.2)
    rate = np.exp(rng.normal(-(spread.rate**2) / 2, spread.rate, count)) / scenario.period_s
    daily = np.exp(rng.normal(-(spread.daily_rate**2) / 2, spread.daily_rate, (days, count)))
    idle = scenario.idle_mw(board) * np.exp(rng.normal(0, spread.sleep, count))
    drift = rng.normal(0, spread.gauge_drift, count)
    if scenario.kind is Kind.ENDLESS:
        rate, daily = np.full(count, 1 / scenario.period_s), np.ones((days, count))
    return Devices(
        count, capacity, idle, rate, daily, drift, _harvest(scenario, count, rng), _charger(scenario, count, rng), rng
    )


def _harvest(scenario: Scenario, count: int, rng: np.random.Generator) -> Floats | None:
    """Millijoules between two reports: clear sky times clouds, each device under its own."""
    panel = scenario.panel
    if panel is None:
        return None
    watts = clear_sky(panel.place)
    days = int(np.ceil(scenario.days))
    hourly = np.resize(watts, days * 24).reshape(days, 24, 1) * clouds(days, count, rng)[:, None, :]
    per_hour = hourly.reshape(days * 24, count) * JOULES_OF_WATT_HOUR * 1000 * panel.cm2 * 1e-4 * panel.efficiency
    per_hour *= np.exp(rng.normal(0, scenario.spread.harvest, count))
    reports = DAY_S // scenario.report_s
    if reports < 24:
        per_report = per_hour.reshape(days * reports, 24 // reports, count).sum(1)
    else:
        per_report = np.repeat(per_hour * 24 / reports, reports // 24, axis=0)
    return np.asarray(per_report[: scenario.steps], np.float64)


def _charger(scenario: Scenario, count: int, rng: np.random.Generator) -> npt.NDArray[np.bool_] | None:
    """When chargers come: one time after another, each drawn anew."""
    if scenario.recharge is None:
        return None
    comes = np.zeros((scenario.steps, count), bool)
    now = np.zeros(count)
    while (now < scenario.days * DAY_S).any():
        now += scenario.recharge.draw(rng, count)
        step = (now / scenario.report_s).astype(np.int64)
        inside = step < scenario.steps
        comes[step[inside], np.flatnonzero(inside)] = True
    return comes
