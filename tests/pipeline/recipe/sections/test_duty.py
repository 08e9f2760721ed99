# SPDX-License-Identifier: Apache-2.0
"""[duty]: what it leaves out is [governor]'s, where the recipe wants one."""

from __future__ import annotations

import pytest

from dimmer.pipeline.core.checks import InvalidKeyError
from dimmer.pipeline.recipe.sections.duty import Duty, DutySection, duty_of
from dimmer.pipeline.recipe.sections.governor import GovernorSection


def test_without_both_sections_a_coin_cell_lasts_with_an_inference_a_second() -> None:
    assert duty_of(DutySection(), GovernorSection()) == Duty(1.0, None, 0.0, 0.0, 220.0, 3000, None)


def test_the_governors_device_is_the_same_device() -> None:
    governor = GovernorSection(capacity_mah=500, millivolts=3700, days=30, period_s=20, sleep_ua=7)
    assert duty_of(DutySection(), governor) == Duty(20, None, 0.0, 0.0, 500, 3700, 7)
    own = duty_of(DutySection(period_s=5, capacity_mah=40, millivolts=3600, clock_mhz=16), governor)
    assert own == Duty(5, 16, 0.0, 0.0, 40, 3600, 7)
    assert duty_of(DutySection(), GovernorSection(capacity_mah=500, days=30)).sleep_ua is None  # the board's counts


def test_inferences_of_a_day() -> None:
    assert Duty(period_s=10).inferences_a_day == 8640
    assert Duty(period_s=10, quiet_hours=12).inferences_a_day == 4320
    assert Duty(period_s=10, quiet_hours=12, events_per_hour=6).inferences_a_day == 72


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("period_s", -1.0),
        ("clock_mhz", 1e9),
        ("quiet_hours", 24.0),
        ("quiet_hours", -1.0),
        ("events_per_hour", -1.0),
        ("capacity_mah", -1.0),
        ("millivolts", 70_000),
    ],
)
def test_what_cannot_be_is_refused(key: str, value: float) -> None:
    with pytest.raises(InvalidKeyError) as caught:
        DutySection(**{key: value})  # type: ignore[arg-type]
    assert caught.value.key == key
