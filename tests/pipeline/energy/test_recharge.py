# SPDX-License-Identifier: Apache-2.0
"""Tiers for a charger that comes at random."""

from __future__ import annotations

import numpy as np
import pytest

from dimmer.pipeline.energy.recharge import Recharge, thresholds

POWERS, ACCURACY = (1.0, 2.0, 4.0), (0.80, 0.88, 0.92)
CAPACITY = 100.0


@pytest.mark.parametrize("distribution", ["exponential", "uniform"])
def test_survival_is_that_of_what_is_drawn(distribution: str) -> None:
    recharge = Recharge(distribution, 50.0)
    drawn = recharge.draw(np.random.default_rng(0), 40_000)
    assert drawn.mean() == pytest.approx(50, rel=0.02)
    for seconds in (10.0, 50.0, 90.0):
        expected = float(recharge.survival(np.array([seconds]))[0])
        assert (drawn > seconds).mean() == pytest.approx(expected, abs=0.01)


def test_a_charger_that_is_soon_there_leaves_the_best_mode() -> None:
    tiers = thresholds(POWERS, ACCURACY, CAPACITY, Recharge("exponential", 1.0))
    assert tiers[0].point == 2
    assert tiers[0].permille < 400


def test_a_late_one_leaves_the_cheapest() -> None:
    tiers = thresholds(POWERS, ACCURACY, CAPACITY, Recharge("exponential", 1000.0))
    assert [(tier.permille, tier.point) for tier in tiers] == [(0, 0)]


def lived(tiers: list[tuple[int, int]], recharge: Recharge) -> float:
    """Right answers until the charger comes, on an average."""
    left, total, step = CAPACITY, 0.0, 0.05
    survival = recharge.survival(np.asarray(np.arange(8_000) * step, np.float64))
    for there in survival:
        if left <= 0:
            break
        point = next(point for permille, point in tiers if left >= permille * CAPACITY / 1000)
        total += ACCURACY[point] * float(there) * step
        left -= POWERS[point] * step
    return total


@pytest.mark.parametrize(("distribution", "mean"), [("exponential", 40.0), ("uniform", 40.0)])
def test_no_other_thresholds_are_better(distribution: str, mean: float) -> None:
    recharge = Recharge(distribution, mean)
    tiers = [(t.permille, t.point) for t in thresholds(POWERS, ACCURACY, CAPACITY, recharge, spread=0.0)]
    best = lived(tiers, recharge)
    rng = np.random.default_rng(0)
    for _ in range(6):
        upper, lower = sorted(rng.integers(1, 1000, 2), reverse=True)
        assert lived([(int(upper), 2), (int(lower), 1), (0, 0)], recharge) <= best + 0.05
    for point in range(3):
        assert lived([(0, point)], recharge) <= best + 0.05
