# SPDX-License-Identifier: Apache-2.0
"""[policy]: thresholds fall, budgets fit them."""

from __future__ import annotations

from typing import Any

import pytest

from dimmer.firmware_gen.emit import policy
from dimmer.firmware_gen.emit.policy import MAX_TIERS
from dimmer.firmware_gen.emit.tables import MAX_MODES, MAX_POSITIONS
from dimmer.firmware_gen.library import INCLUDE
from dimmer.pipeline.core.checks import InvalidKeyError
from dimmer.pipeline.energy.recharge import DISTRIBUTIONS
from dimmer.pipeline.image.policy import recipe_policy
from dimmer.pipeline.networks.family import MOST_BLOCKS
from dimmer.pipeline.recipe.recipe import MOST_GATES, MOST_MODES
from dimmer.pipeline.recipe.sections.policy import MOST_TIERS, RECHARGES, STALE_INFERENCES, STALE_S, PolicySection

CHARGER = {"recharge": "uniform", "recharge_hours": 48.0}


def test_one_budget_more_than_tiers() -> None:
    assert PolicySection(tiers=(500,), budgets=(1.0, 0.5)).budgets == (1.0, 0.5)
    assert PolicySection(tiers=()).tiers == ()


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("tiers", {"tiers": (200, 400)}),
        ("tiers", {"tiers": (1000,)}),
        ("tiers", {"tiers": (400, 0)}),
        ("budgets", {"tiers": (500,), "budgets": (1.0,)}),
        ("budgets", {"tiers": (500,), "budgets": (0.5, 0.5)}),
        ("budgets", {"tiers": (500,), "budgets": (1.5, 0.5)}),
        ("hysteresis_permille", {"hysteresis_permille": 1000}),
        ("dwell_s", {"dwell_s": -1}),
        ("min_millivolts", {"tiers": (500, 200), "min_millivolts": (3300,)}),
        ("min_millivolts", {"tiers": (500, 200), "min_millivolts": (3000, 3300)}),
        ("min_millivolts", {"tiers": (500,), "min_millivolts": (0,)}),
        ("hysteresis_millivolts", {"tiers": (500,), "hysteresis_millivolts": 50, "full_millivolts": 4200}),
        ("full_millivolts", {"tiers": (500,), "min_millivolts": (3300,), "hysteresis_millivolts": 50}),
        ("full_millivolts", {"tiers": (500,), "min_millivolts": (3300,), "full_millivolts": 3200}),
        ("recharge", {"recharge": "weekly", "recharge_hours": 5.0}),
        ("recharge_hours", {"recharge": "uniform"}),
        ("recharge_hours", {"recharge_hours": 5.0}),
        ("min_millivolts", {**CHARGER, "tiers": (500,), "min_millivolts": (3300,)}),
        ("budgets", {**CHARGER, "tiers": (500,), "budgets": (1.0, 0.5)}),
        ("stale_s", {"stale_s": 65_536}),
        ("stale_inferences", {"stale_inferences": -1}),
    ],
)
def test_a_wrong_value_is_refused(key: str, values: dict[str, Any]) -> None:
    with pytest.raises(InvalidKeyError) as caught:
        PolicySection(**values)
    assert caught.value.key == key


def test_tiers_and_dwell_are_what_the_c_tables_hold() -> None:
    assert MOST_TIERS + 1 == MAX_TIERS
    assert (MOST_GATES, MOST_MODES, MOST_BLOCKS) == (64, MAX_MODES, MAX_POSITIONS - 2)
    header = (INCLUDE / "dimmer.h").read_text()
    assert f"#define DIMMER_MAX_TIERS {MAX_TIERS}u" in header
    assert f"#define DIMMER_MAX_GATES  {MOST_GATES}u" in header
    assert set(RECHARGES) == set(DISTRIBUTIONS)
    assert (STALE_S, STALE_INFERENCES) == (policy.STALE_S, policy.STALE_INFERENCES)
    longest = PolicySection(tuple(range(700, 0, -100)), 999, 0xFFFF_FFFF)
    assert recipe_policy(longest, range(8)).pack(8)
