# SPDX-License-Identifier: Apache-2.0
"""Battery, device and modes in the integers of the governor's table."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.plan import MAX_SLEEP_Q8
from dimmer.pipeline.energy.plan import plan_of
from dimmer.pipeline.recipe.sections.governor import GovernorSection

MODES = [(2, 1.3e6), (1, 2.1e6), (0, 4.35e6)]


def test_a_coin_cell() -> None:
    section = GovernorSection(capacity_mah=230, days=100, period_s=10)
    plan = plan_of(section, MODES, 3.4)
    quantum = 128  # nJ: 4.35 mJ are 33,985 of them
    assert [(point.mode, point.cost) for point in plan.points] == [(2, 10157), (1, 16407), (0, 33985)]
    unit = quantum << plan.unit_shift
    assert plan.permille_units * 1000 * unit == pytest.approx(230 * 3600 * 3000 * 1000, rel=1 / 30_000)
    assert plan.permille_units * 1000 * unit <= 230 * 3600 * 3000 * 1000
    assert plan.sleep_q8 / 256 * quantum == pytest.approx(3.4 * 3000, rel=1e-3)
    assert (plan.life_s, plan.period_ms, plan.report_s) == (8_640_000, 10_000, 600)
    assert (plan.reserve_permille, plan.cold_permille, plan.harvest_q8) == (40, 0, 0)


def test_what_is_drawn_between_inferences_takes_coarser_quanta_or_another_battery() -> None:
    section = GovernorSection(capacity_mah=230, days=100, period_s=10)
    # More than the field holds in fine quanta.
    plan = plan_of(section, MODES, 1e6)
    assert 0 < plan.sleep_q8 <= MAX_SLEEP_Q8
    plan.pack(3)
    told = r"every 10 s and 1e\+09 uA besides: take another capacity_mah or period_s in \[governor\]"
    with pytest.raises(DimmerError, match=told):
        plan_of(replace(section, capacity_mah=0.1), MODES, 1e9)


def test_harvest_is_counted_at_the_battery_s_voltage() -> None:
    plan = plan_of(GovernorSection(capacity_mah=10, millivolts=3700, harvest=True), MODES, 5.0)
    assert plan.life_s == 0
    assert plan.harvest_q8 / 256 * 128 == pytest.approx(3700, rel=1e-3)


@pytest.mark.parametrize(("capacity_mah", "low_q6"), [(1, 26), (10, 26), (100, 3)])
def test_a_store_keeps_what_carries_the_cheapest_mode_through_days_without_harvest(
    capacity_mah: float, low_q6: int
) -> None:
    """1.3 mJ every 10 s and 5 uA of 3.7 V, 148.5 uW, for five days: 64 J, or two fifths of a store."""
    section = GovernorSection(capacity_mah=capacity_mah, millivolts=3700, harvest=True)
    assert plan_of(section, MODES, 5.0).low_q6 == low_q6
    assert plan_of(replace(section, dark_days=0.0), MODES, 5.0).low_q6 == 0
    assert plan_of(replace(section, harvest=False, days=10.0), MODES, 5.0).low_q6 == 0


sections = st.builds(
    GovernorSection,
    capacity_mah=st.floats(0.1, 1e5),
    millivolts=st.integers(1000, 20_000),
    days=st.floats(0.1, 5000),
    harvest=st.booleans(),
    dark_days=st.floats(0, 18_250),
    period_s=st.floats(0.01, 86_400),
    report_s=st.integers(1, 65_535),
)
energies = st.lists(st.floats(1, 1e9), min_size=1, max_size=8)


@given(sections, energies, st.floats(0, 1e6))
def test_any_device_is_packed_or_refused_in_a_line(
    section: GovernorSection, energies: list[float], idle_ua: float
) -> None:
    points, told = list(enumerate(sorted(energies))), ""
    try:
        plan = plan_of(section, points, idle_ua)
    except DimmerError as error:
        told = str(error)
    if told:
        assert "take another capacity_mah or period_s" in told
        return
    plan.pack(len(points))
    quanta = [point.cost for point in plan.points]
    top = points[-1][1]
    # No mode is taken for cheaper than it is, beside the dearest one, by more than a quantum.
    for cost, (_, energy) in zip(quanta, points, strict=True):
        assert cost + 1 >= energy / top * (quanta[-1] - len(quanta))


def test_a_battery_for_a_tenth_of_an_inference_is_refused() -> None:
    with pytest.raises(DimmerError, match="do not go with inferences of 4,350 uJ every 10 s"):
        plan_of(GovernorSection(capacity_mah=1e-5, days=1), MODES, 5.0)
