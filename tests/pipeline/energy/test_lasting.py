# SPDX-License-Identifier: Apache-2.0
"""A life under the governor."""

from __future__ import annotations

import pytest

from dimmer.pipeline.energy.lasting import Lasting, lasting

# 5 uA and an inference every 10 s; a day of sleep takes 0.432 C.
POINTS = [(40.0, 0.8), (60.0, 0.9)]


def life(mah: float, days: float, reserve: float = 0.0) -> Lasting:
    return lasting(mah * 3.6e6, reserve, days, 5.0, 8640, POINTS)


def test_the_mixture_that_reaches_the_deadline() -> None:
    # (0.432 + 8640 x 50e-6) C a day for 100 days.
    exact = (0.432 + 8640 * 50e-6) * 100 / 3.6
    assert life(exact, 100) == Lasting(100, 0.85, 1.0)
    assert life(exact / 0.9, 100, reserve=0.1) == Lasting(100, 0.85, 1.0)


def test_a_budget_under_the_cheapest_mode_leaves_inferences_out() -> None:
    half = (0.432 + 8640 * 20e-6) * 100 / 3.6
    assert life(half, 100) == Lasting(100, 0.4, 0.5)
    least = (0.432 + 8640 * 0.4e-6) * 100 / 3.6
    assert life(least, 100) == Lasting(100, 0.008, 0.01)


def test_sleep_alone_may_be_too_much_for_the_deadline() -> None:
    """Not the days that were asked for, with nothing inferred in them."""
    found = life(10.0, 1000)
    assert (found.accuracy, found.run) == (0.0, 0.0)
    assert found.days == pytest.approx(36 / 0.432)


def test_one_over_the_best_mode_lasts_longer() -> None:
    found = life((0.432 + 8640 * 60e-6) * 150 / 3.6, 100)
    assert (found.accuracy, found.run) == (0.9, 1.0)
    assert found.days == pytest.approx(150)
