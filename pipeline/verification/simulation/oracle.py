# SPDX-License-Identifier: Apache-2.0
"""Oracles: what a policy that knows everything beforehand would do, as a linear program (scipy's HiGHS)."""

from __future__ import annotations

import numpy as np

from dimmer.pipeline.verification.simulation.devices import Devices
from dimmer.pipeline.verification.simulation.scenarios import DAY_S, Scenario
from dimmer.pipeline.verification.simulation.setting import Board, Floats, Setting


def deadline_oracle(
    scenario: Scenario, setting: Setting, board: Board, devices: Devices, events: Floats
) -> tuple[Floats, Floats]:
    """With one budget and a concave hull the program's optimum is even spending of what there truly is.

    Args:
        events: float64[n], of each device until the deadline.

    Returns:
        float64[n]: share of events answered rightly; whether the cheapest mode carries all of them.
    """
    energy = devices.capacity * scenario.start - devices.idle * scenario.days * DAY_S
    cycles = energy / events / board.millijoules(1)
    return setting.mixed(np.maximum(cycles, 0)), (cycles >= setting.cycles[setting.hull[0]]).astype(np.float64)


def recharge_oracle(scenario: Scenario, setting: Setting, board: Board, devices: Devices) -> Floats:
    """That knows when the charger comes: even spending from each charger to the next.

    Returns:
        float64[n]: share of events answered rightly.
    """
    assert devices.charger is not None
    found = np.zeros(devices.count)
    for which in range(devices.count):
        ends = [*np.flatnonzero(devices.charger[:, which]), scenario.steps]
        seconds = np.diff([0, *ends]) * scenario.report_s
        events = seconds * devices.rate[which]
        energy = devices.capacity[which] - devices.idle[which] * seconds
        right = setting.mixed(np.maximum(energy, 0) / np.maximum(events, 1e-9) / board.millijoules(1))
        found[which] = (right * events).sum() / events.sum()
    return found


def endless_oracle(scenario: Scenario, setting: Setting, board: Board, devices: Devices) -> Floats:
    """Without an end: the best fixed mode of each device, which no mixture beats (`advice`).

    Returns:
        float64[n]: share of the events until the scenario's end that are answered rightly.
    """
    powers = np.array([[board.millijoules(cycles)] for cycles in setting.cycles]) * devices.rate + devices.idle
    lives = np.minimum(devices.capacity * scenario.start / powers / (scenario.days * DAY_S), 1)
    return np.asarray((np.array(setting.accuracy)[:, None] * lives).max(0), np.float64)


def daily_oracle(
    scenario: Scenario, setting: Setting, board: Board, devices: Devices, which: int, budget_only: bool = False
) -> float:
    """The best a device can do that knows all days beforehand: an upper bound, since within a day nothing binds.

    Variables of each day: inferences at each step of the hull, the level at its end, what is thrown away.

    Args:
        which: the device.
        budget_only: whether the store is unbounded and full at the beginning, as until a deadline.

    Returns:
        Share of its events answered rightly; NaN where the store does not even carry the device's sleep through every
        night, for which the program has no solution.
    """
    from scipy.optimize import linprog
    from scipy.sparse import coo_array

    days = int(np.ceil(scenario.days))
    costs = np.array([0.0, *(board.millijoules(setting.cycles[i]) for i in setting.hull)])
    right = np.array([0.0, *(setting.accuracy[i] for i in setting.hull)])
    segments = len(costs) - 1
    events = devices.rate[which] * devices.daily[:, which] * DAY_S
    capacity = float(devices.capacity[which])
    got = np.zeros(days)
    if devices.harvest is not None:
        got = devices.harvest[:, which].reshape(days, -1).sum(1)
    left = got - devices.idle[which] * DAY_S
    left[0] += capacity * scenario.start
    day, segment = np.repeat(np.arange(days), segments), np.tile(np.arange(segments), days)
    inferences, levels, waste = days * segments, days * segments, days * (segments + 1)
    rows = np.concatenate([day, np.arange(days), np.arange(1, days), np.arange(days)])
    columns = np.concatenate(
        [np.arange(inferences), levels + np.arange(days), levels + np.arange(days - 1), waste + np.arange(days)]
    )
    values = np.concatenate([np.diff(costs)[segment], np.ones(days), -np.ones(days - 1), np.ones(days)])
    shape = (days, days * (segments + 2))
    worth = np.concatenate([-np.diff(right)[segment], np.zeros(2 * days)])
    most = np.concatenate([events[day], np.full(days, np.inf if budget_only else capacity), np.full(days, np.inf)])
    bounds = np.stack([np.zeros(len(most)), most], axis=1)
    done = linprog(
        worth,
        A_eq=coo_array((values, (rows, columns)), shape=shape).tocsr(),
        b_eq=left,
        bounds=bounds,
        method="highs",
    )
    return float(-done.fun / events.sum()) if done.status == 0 else float("nan")
