# SPDX-License-Identifier: Apache-2.0
"""Choices that are summed are those that are stepped through, and what tiers and governors do is what the C does."""

from __future__ import annotations

import ctypes
from dataclasses import replace

import numpy as np
import pytest

from dimmer.firmware_gen.emit.plan import PlanConfig, Point
from dimmer.firmware_gen.emit.policy import PolicyConfig, Tier
from dimmer.pipeline.energy.policy import Battery, State, policy_next_function
from dimmer.pipeline.verification.simulation.fleet import REPORT, Governors, Tiers, states

DEVICES, REPORTS = 50, 120
POINTERS = 16
"""Bytes at the beginning of a governor: where its plan lies, and the seal of that."""


def random_plan(rng: np.random.Generator) -> PlanConfig:
    costs = np.cumsum(rng.integers(1, 8000, rng.integers(1, 9)))
    harvest = int(rng.integers(1, 65536)) if rng.random() < 0.4 else 0
    return PlanConfig(
        points=tuple(Point(int(cost), number) for number, cost in enumerate(costs)),
        permille_units=int(rng.integers(1, 65536)),
        unit_shift=int(rng.integers(0, 12)),
        sleep_q8=int(rng.integers(0, 100_000)),
        period_ms=int(rng.integers(1, 100_000)),
        report_s=600,
        life_s=0 if harvest and rng.random() < 0.5 else int(rng.integers(1, 1 << 24)),
        reserve_permille=int(rng.integers(0, 100)),
        harvest_q8=harvest,
        low_q6=int(rng.integers(0, 64)) if harvest else 0,
    )


@pytest.mark.parametrize("seed", range(12))
def test_summed_choices_are_those_that_are_stepped_through(seed: int) -> None:
    rng = np.random.default_rng(seed)
    plan = random_plan(rng)
    fast, stepped = Governors(plan, DEVICES), Governors(plan, DEVICES, each=True)
    reports = np.zeros(DEVICES, REPORT)
    most = int(rng.integers(1, 400))
    charge = np.full(DEVICES, 1000.0)
    for number in range(REPORTS):
        charge = np.clip(charge - rng.exponential(1000 / REPORTS, DEVICES), 0, 1000)
        reports["time_s"] = number * 600
        reports["charge_permille"] = np.where(rng.random(DEVICES) < 0.05, 65535, charge)
        reports["harvest_ua"] = rng.integers(0, 2000, DEVICES)
        reports["flags"] = rng.random(DEVICES) < 0.02
        wanted = rng.integers(0, most, DEVICES).astype(np.uint32)
        assert (fast.step(reports, wanted) == stepped.step(reports, wanted)).all()
        assert [s[POINTERS:] for s in states(fast)] == [s[POINTERS:] for s in states(stepped)]


def test_where_the_reserve_is_reached_nothing_is_stepped_through() -> None:
    plan = replace(random_plan(np.random.default_rng(0)), reserve_permille=200)
    fast, stepped = Governors(plan, DEVICES), Governors(plan, DEVICES, each=True)
    reports, wanted = np.zeros(DEVICES, REPORT), np.full(DEVICES, 70, np.uint32)
    reports["charge_permille"] = 150
    for number in range(20):
        reports["time_s"] = number * 600
        assert fast.step(reports, wanted).sum() == stepped.step(reports, wanted).sum() == 0
        assert [s[POINTERS:] for s in states(fast)] == [s[POINTERS:] for s in states(stepped)]


def test_tiers_are_those_of_the_pure_function() -> None:
    config = PolicyConfig((Tier(500, 0, 0), Tier(200, 0, 2), Tier(0, 0, 1)), dwell_s=1200, hysteresis_permille=50)
    rng = np.random.default_rng(1)
    tiers, state, found, expected = Tiers(config, 3, 1), State(), [], []
    reports = np.zeros(1, REPORT)
    with policy_next_function() as policy_next:
        for number in range(300):
            permille = int(np.clip(500 + 500 * np.sin(number / 30) + rng.normal(0, 30), 0, 1000))
            reports["time_s"], reports["charge_permille"] = number * 600, permille
            found.append(int(tiers.step(reports)[0]))
            state = policy_next(config.pack(3), state, ctypes.byref(Battery(number * 600, 0, permille, 0)))
            expected.append(config.tiers[state.tier].mode)
    assert found == expected
    assert set(found) == {0, 1, 2}
