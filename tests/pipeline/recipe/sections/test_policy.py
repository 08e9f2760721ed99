# SPDX-License-Identifier: Apache-2.0
"""[policy]: thresholds fall, budgets fit them."""

from __future__ import annotations

from typing import Any

import pytest

from dimmer.pipeline.core.checks import InvalidKeyError
from dimmer.pipeline.recipe.sections.policy import PolicySection


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
    ],
)
def test_a_wrong_value_is_refused(key: str, values: dict[str, Any]) -> None:
    with pytest.raises(InvalidKeyError) as caught:
        PolicySection(**values)
    assert caught.value.key == key
