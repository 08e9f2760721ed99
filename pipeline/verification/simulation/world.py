# SPDX-License-Identifier: Apache-2.0
"""Time passes: devices spend what their policies want, harvest, and die when their stores are empty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dimmer.pipeline.verification.simulation.devices import Devices
from dimmer.pipeline.verification.simulation.fleet import REPORT
from dimmer.pipeline.verification.simulation.policies import Policy, Seen, policies_names
from dimmer.pipeline.verification.simulation.scenarios import DAY_S, Kind, Scenario
from dimmer.pipeline.verification.simulation.setting import Board, Floats

_ABSOLUTE_ZERO_C = 273.15


@dataclass(frozen=True)
class Lives:
    """What became of some devices under each policy.

    Attributes:
        policies: names, one a row.
        right: float64[rows, n], share of all events that were answered rightly.
        alive: float64[rows, n], share of the time for which the store carried everything.
        worst_day: float64[rows, n], share of the worst day's events that were answered rightly.
        events: float64[n], of each device.
    """

    policies: tuple[str, ...]
    right: Floats
    alive: Floats
    worst_day: Floats
    events: Floats


def live(scenario: Scenario, board: Board, devices: Devices, policies: Sequence[Policy]) -> Lives:
    """Lets the devices live, from the first report to the scenario's end."""
    names = policies_names(policies)
    rows, count = len(names), devices.count
    left = np.repeat(devices.capacity[None] * scenario.start, rows, axis=0)
    right, alive, today = (np.zeros((rows, count)) for _ in range(3))
    worst = np.ones((rows, count))
    events, events_today, owed = np.zeros(count), np.zeros(count), np.zeros(count)
    slices = _slices(policies)
    need, answered, carried = (np.empty((rows, count)) for _ in range(3))
    looking = np.array([policy.looks for policy in policies for _ in policy.names])
    reports = np.zeros((int(looking.sum()), count), REPORT)
    seen = _seen(policies, reports)
    reports["temperature_dk"] = round((scenario.celsius + _ABSOLUTE_ZERO_C) * 10)
    per_day, dead_for_ever = DAY_S // scenario.report_s, scenario.kind in (Kind.DEADLINE, Kind.ENDLESS)
    idle, full = devices.idle * scenario.report_s, devices.capacity[None]
    got = np.zeros(count)
    for step in range(scenario.steps):
        owed += devices.rate * devices.daily[step // per_day] * scenario.report_s
        wanted = owed.astype(np.uint32)
        owed -= wanted
        powered = None if devices.charger is None else devices.charger[step]
        _read(reports, scenario, board, devices, step, left[looking], got, powered)
        for policy, at, read in zip(policies, slices, seen, strict=True):
            need[at], answered[at] = policy.step(Seen(step, read, wanted))
        got = np.zeros(count) if devices.harvest is None else devices.harvest[step]
        need += idle
        left += got
        np.divide(left, need, out=carried)
        np.minimum(carried, 1.0, out=carried)
        if powered is not None:
            carried[:, powered] = 1.0
        if dead_for_ever:
            # A cell whose voltage broke down may recover for a moment; the device has lost what it knew.
            carried[alive < step] = 0.0
        alive += carried
        answered *= carried
        right += answered
        today += answered
        events += wanted
        events_today += wanted
        need *= carried
        left -= need
        np.clip(left, 0.0, full, out=left)
        if powered is not None:
            left[:, powered] = np.broadcast_to(full, left.shape)[:, powered]
        if step % per_day == per_day - 1:
            np.minimum(worst, today / np.maximum(events_today, 1), out=worst)
            today[:], events_today[:] = 0, 0
    return Lives(names, right / events, alive / scenario.steps, worst, events)


def _slices(policies: Sequence[Policy]) -> list[slice]:
    ends = np.cumsum([len(policy.names) for policy in policies])
    return [slice(int(end) - len(policy.names), int(end)) for end, policy in zip(ends, policies, strict=True)]


def _seen(policies: Sequence[Policy], reports: npt.NDArray[np.void]) -> list[npt.NDArray[np.void]]:
    """The rows of the reports that each policy looks at."""
    found, first = [], 0
    for policy in policies:
        rows = len(policy.names) if policy.looks else 0
        found.append(reports[first : first + rows])
        first += rows
    return found


def _read(
    reports: npt.NDArray[np.void],
    scenario: Scenario,
    board: Board,
    devices: Devices,
    step: int,
    left: Floats,
    got: Floats,
    powered: npt.NDArray[np.bool_] | None,
) -> None:
    """What gauge and charger tell; the gauge is right when the cell is full, and drifts as it empties."""
    spread = scenario.spread
    charge = left / devices.capacity
    noise = devices.noise.normal(0, spread.gauge_noise, devices.count)
    lost = devices.noise.random(devices.count) < spread.dropouts
    read = charge * (1 + 2 * devices.drift * (1 - charge)) + noise
    permille = (np.clip(read, 0, 1) * 1000).astype(np.uint16)
    permille[:, lost] = 0
    reports["charge_permille"] = permille
    reports["time_s"] = step * scenario.report_s
    # Millijoules since the last report as microamperes of the battery.
    reports["harvest_ua"] = (got / scenario.report_s / board.volts * 1000).astype(np.uint32)
    if powered is not None:
        reports["flags"] = powered
