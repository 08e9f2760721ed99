# SPDX-License-Identifier: Apache-2.0
"""[governor]: a deadline or harvest, and numbers that a battery can have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core.checks import InvalidKeyError
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.recipe.sections.governor import GovernorSection
from dimmer.project import MODELS


def test_without_a_capacity_there_is_none() -> None:
    assert not GovernorSection().wanted
    assert GovernorSection(capacity_mah=230, days=30).wanted
    assert GovernorSection(capacity_mah=10, harvest=True).wanted


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("capacity_mah", {"capacity_mah": -1}),
        ("days", {"capacity_mah": 230}),
        ("days", {"days": float("nan")}),
        ("millivolts", {"millivolts": 0}),
        ("period_s", {"period_s": 0}),
        ("report_s", {"report_s": 65_536}),
        ("sleep_ua", {"sleep_ua": -0.1}),
        ("reserve_permille", {"reserve_permille": 1000}),
        ("cold_reserve_permille", {"cold_reserve_permille": 256}),
        ("dark_days", {"dark_days": -1}),
    ],
)
def test_a_wrong_value_is_refused(key: str, values: dict[str, Any]) -> None:
    with pytest.raises(InvalidKeyError) as caught:
        GovernorSection(**values)
    assert caught.value.key == key


def test_a_recipe_has_one(tmp_path: Path) -> None:
    text = (MODELS / "mnist5k-r14" / "recipe.toml").read_text()
    path = tmp_path / "recipe.toml"
    path.write_text(f"{text}\n[governor]\ncapacity_mah = 230\ndays = 90\n")
    assert load_recipe(path).governor == GovernorSection(capacity_mah=230, days=90)
    path.write_text(f"{text}\n[governor]\ncapacity_mah = 230\n")
    with pytest.raises(DimmerError, match=r"governor.days = .*: must be over 0 where nothing is harvested"):
        load_recipe(path)
