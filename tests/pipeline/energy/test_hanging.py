# SPDX-License-Identifier: Apache-2.0
"""The device of a recipe on a target: sleep, wake-up and period are not made up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dimmer.pipeline.energy.hanging import device_of
from dimmer.pipeline.recipe.sections.duty import Duty
from dimmer.targets.power.constants import Constant, load_board

ENERGY = replace(load_board("nucleo-l4r5zi"), application_uc=Constant(20, 0, "a test"))


def test_sleep_wake_up_and_application_are_the_targets() -> None:
    device = device_of(ENERGY, Duty(period_s=10, capacity_mah=100, millivolts=2000))
    assert (device.capacity_mah, device.millivolts, device.period_s) == (100, 2000, 10)
    assert device.idle_uw == pytest.approx(6)
    assert device.beside_uj == pytest.approx(41)


def test_what_the_recipe_says_of_sleep_and_of_quiet_hours_counts() -> None:
    device = device_of(ENERGY, Duty(period_s=10, quiet_hours=12, sleep_ua=100))
    assert device.period_s == 20
    assert device.idle_uw == pytest.approx(300)


def test_without_constants_nothing_is_drawn_besides() -> None:
    device = device_of(None, Duty())
    assert (device.period_s, device.idle_uw, device.beside_uj) == (1, 0, 0)
