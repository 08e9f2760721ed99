# SPDX-License-Identifier: Apache-2.0
"""Two of the four readings were read by nothing: no recipe could name a voltage, and harvest_ua was ignored."""

import ctypes
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.firmware_gen.library import RUNTIME
from dimmer.pipeline.energy.plan import plan_of
from dimmer.pipeline.energy.policy import Battery, State, policy_next_function
from dimmer.pipeline.image.policy import recipe_policy
from dimmer.pipeline.recipe.sections.governor import GovernorSection
from dimmer.pipeline.recipe.sections.policy import PolicySection
from tests.firmware_gen.runtime.c_library import load_library

ROOM = 1024
"""Bytes, more than a dimmer_governor_t has."""


def test_a_recipe_s_voltages_choose_the_tier() -> None:
    section = PolicySection((500, 200), min_millivolts=(3700, 3500), hysteresis_millivolts=50, full_millivolts=4200)
    packed = recipe_policy(section, range(3)).pack(3)
    with policy_next_function() as next_state:
        tiers = [
            int(next_state(packed, State(), ctypes.byref(Battery(0, 0, 900, millivolts))).tier)
            for millivolts in (3800, 3600, 3400)
        ]
    assert tiers == [0, 1, 2]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    parts = [RUNTIME / "src" / f"{name}.c" for name in ("governor", "share", "reading", "plan")]
    return load_library(tmp_path_factory.mktemp("governor"), parts)


def charge_after(library: ctypes.CDLL, harvest_ua: int, temperature_dk: int = 0) -> tuple[int, int]:
    """Charge and seconds to live after an hour with no gauge."""
    section = GovernorSection(capacity_mah=1, harvest=True, days=1, cold_reserve_permille=100)
    plan = ctypes.create_string_buffer(plan_of(section, [(0, 1e6)], 5.0).pack(1))
    governor = ctypes.create_string_buffer(ROOM)
    library.dimmer_governor_start(governor, plan)
    assert library.dimmer_governor_set_charge(governor, 500) == 0
    for minute in range(0, 61, 10):
        now = Battery(60 * minute, harvest_ua, 65535, 0, temperature_dk)
        library.dimmer_governor_report(governor, ctypes.byref(now))
    return library.dimmer_governor_charge(governor), library.dimmer_governor_share(governor)


def test_harvest_fills_the_store(library: ctypes.CDLL) -> None:
    without, _ = charge_after(library, 0)
    some, _ = charge_after(library, 100)
    assert some - without == pytest.approx(100, abs=2), "100 uA for an hour are a tenth of 1 mAh"


def test_cold_keeps_more_in_reserve(library: ctypes.CDLL) -> None:
    warm, cold = (charge_after(library, 0, dk)[1] for dk in (2931, 2531))
    assert 0 <= cold < warm


def test_the_plan_of_a_recipe_is_what_the_runtime_takes(library: ctypes.CDLL, tmp_path: Path) -> None:
    section = GovernorSection(capacity_mah=230, days=90)
    for changed in (section, replace(section, harvest=True), replace(section, days=0.0, harvest=True)):
        assert library.dimmer_plan_check(plan_of(changed, [(1, 1e6), (0, 3e6)], 5.0).pack(2)) == 0
