# SPDX-License-Identifier: Apache-2.0
"""Which of the published modes a firmware has, and which its policy uses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.plan import PlanConfig
from dimmer.pipeline.artifacts.calibration import Calibration
from dimmer.pipeline.artifacts.firmware import Firmware, LeftOut
from dimmer.pipeline.energy.plan import plan_of
from dimmer.pipeline.image import published
from dimmer.pipeline.image.figures import Judged
from dimmer.pipeline.image.make import Counted
from dimmer.pipeline.image.order import Order
from dimmer.pipeline.recipe.sections.duty import Duty, DutySection, duty_of
from dimmer.pipeline.recipe.sections.governor import GovernorSection
from dimmer.pipeline.recipe.sections.policy import PolicySection
from dimmer.targets import Target, load_target
from dimmer.targets.power.constants import Constant, Energy
from tests.firmware_gen.modes import MODES
from tests.pipeline.artifact_examples import calibration, firmware
from tests.pipeline.image.orders import modes_order
from tests.tiny import silent

NAMES = tuple(MODES)
IDLE = "in flash and callable, but never chosen: "


def calibrated(*kept: str, **accuracies: float) -> Calibration:
    modes = (replace(mode, name=name) for mode, name in zip(calibration().modes, NAMES, strict=True))
    found = (
        replace(mode, kept=mode.name in kept, accuracy=accuracies.get(f"m{mode.name}", 0.9 - 0.1 * i))
        for i, mode in enumerate(modes)
    )
    return replace(calibration(), modes=tuple(found))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Order, Judged]]:
    """What firmwares are made of, instead of firmwares."""
    found: list[tuple[Order, Judged]] = []

    def make(order: Order, _target: Target, _out: Path, _progress: object, judged: Judged) -> Firmware:
        found.append((order, judged))
        return firmware()

    monkeypatch.setattr(published, "make", make)
    return found


def counts(monkeypatch: pytest.MonkeyPatch, counted: Counted) -> None:
    monkeypatch.setattr(published, "judge", lambda *_: counted)


def publish(
    folder: Path,
    calibrated: Calibration,
    target: str = "host",
    governor: GovernorSection | None = None,
    max_ms: float = 0.0,
) -> None:
    policy = PolicySection((600, 300), max_ms=max_ms)
    out = folder / "out"
    wanted = governor or GovernorSection()
    published.make_published(modes_order(folder), calibrated, policy, load_target(target), out, silent, wanted)


def test_where_nothing_is_counted_bit_operations_say_what_is_worth_choosing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: list[tuple[Order, Judged]]
) -> None:
    counts(monkeypatch, Counted())
    costs = [calibrated().mode(name).bit_operations for name in NAMES]
    assert costs == sorted(costs, reverse=True)
    publish(tmp_path, replace(calibrated(m888=0.9, m880=0.85, m800=0.6), validation_images=100_000))
    ((order, judged),) = made
    assert [mode.name for mode in order.modes] == list(NAMES)
    assert [(tier.min_charge_permille, tier.mode) for tier in order.policy.tiers] == [(600, 0), (300, 1), (0, 2)]
    assert judged == Judged()
    made.clear()
    publish(tmp_path, calibrated(m888=0.9, m880=0.9, m800=0.7))
    ((order, judged),) = made
    assert [tier.mode for tier in order.policy.tiers] == [1, 2]
    assert judged.policy == f"{IDLE}888: 880 costs no more and is right as often"


def test_a_mode_that_is_worse_there_is_left_out_unless_the_recipe_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: list[tuple[Order, Judged]]
) -> None:
    instructions = {"888": 100, "880": 120, "800": 50}
    counts(monkeypatch, Counted(instructions, {"880": "slower than 888"}))
    publish(tmp_path, calibrated())
    ((order, judged),) = made
    assert [mode.name for mode in order.modes] == ["888", "800"]
    assert judged.left_out == (LeftOut("880", 120, "slower than 888"),)
    assert [tier.mode for tier in order.policy.tiers] == [0, 1]
    made.clear()
    publish(tmp_path, calibrated("880"))
    ((order, judged),) = made
    assert [mode.name for mode in order.modes] == list(NAMES)
    assert judged.left_out == ()
    assert judged.policy == f"{IDLE}880: 888 costs no more and is right as often"
    assert [tier.mode for tier in order.policy.tiers] == [0, 2]


def test_cycles_say_which_modes_are_of_use_where_they_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: list[tuple[Order, Judged]]
) -> None:
    cycles = {"888": 200, "880": 150, "800": 160}
    counts(monkeypatch, Counted({"888": 100, "880": 90, "800": 80}, cycles=cycles))
    publish(tmp_path, calibrated(m888=0.9, m880=0.8, m800=0.7))
    ((order, judged),) = made
    assert judged.policy == f"{IDLE}800: 880 costs no more and is right as often"
    assert [tier.mode for tier in order.policy.tiers] == [0, 1]


def test_tiers_stand_by_what_the_modes_cost_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: list[tuple[Order, Judged]]
) -> None:
    counts(monkeypatch, Counted({"888": 60, "880": 100, "800": 50}))
    publish(tmp_path, replace(calibrated(m888=0.8, m880=0.9, m800=0.7), validation_images=100_000))
    ((order, judged),) = made
    assert judged.policy == ""
    assert [tier.mode for tier in order.policy.tiers] == [1, 0, 2]


def test_a_governor_chooses_from_the_hull(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: list[tuple[Order, Judged]]
) -> None:
    instructions = {"888": 9_000_000, "880": 8_000_000, "800": 5_000_000}
    # Energy is that of the cycles, from a cell of 3 V: 1.08 x 194 pC each on this board.
    counts(monkeypatch, Counted(instructions, cycles={"888": 14_000_000, "880": 13_000_000, "800": 8_000_000}))
    wanted = GovernorSection(capacity_mah=230, days=90)
    found = replace(calibrated(m888=0.95, m880=0.8, m800=0.75), validation_images=10_000)
    publish(tmp_path, found, "mps2-an386", wanted)
    ((order, judged),) = made
    plan = order.policy.plan
    assert plan is not None
    assert [point.mode for point in plan.points] == [2, 0]
    assert plan.points[1].cost / plan.points[0].cost == pytest.approx(14 / 8, rel=1e-3)
    assert order.policy.safe_mode == 2
    assert judged.governor.startswith(
        "the governor chooses from 800 (5,000 uJ), 888 (8,800 uJ), modelled; not from 880"
    )
    made.clear()
    publish(tmp_path, found, "host", wanted)
    ((order, judged),) = made
    assert order.policy.plan is None
    assert judged.governor == "governor: nobody knows what its modes draw on this machine: there is no plan"
    made.clear()
    with pytest.raises(
        DimmerError, match=r"governor: nobody knows what its modes draw on mps3-an547: its target.toml has"
    ):
        publish(tmp_path, found, "mps3-an547", wanted)
    publish(tmp_path, found, "mps2-an386")
    assert (made[0][0].policy.plan, made[0][1].governor) == (None, "")


def test_wake_ups_are_no_more_than_the_dearest_mode_has_time_for() -> None:
    """As the report counts them: the plan and the life that is promised are of one rate."""
    counted = Counted({"888": 600_000_000}, cycles={"888": 640_000_000})
    wanted, target = GovernorSection(capacity_mah=2300, days=9), load_target("nrf52840dk")
    found = replace(calibrated(m888=0.95), validation_images=10_000)

    def plan(period_s: float) -> PlanConfig | None:
        duty = duty_of(DutySection(period_s=period_s), wanted)
        return published.plan_for(wanted, duty, ("888",), ("888",), counted, found, target)[0]

    assert plan(1.0) == plan(5.0) != plan(50.0)


def test_a_mode_under_the_line_between_two_others_has_no_tier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: list[tuple[Order, Judged]]
) -> None:
    counts(monkeypatch, Counted({"888": 100, "880": 75, "800": 50}))
    publish(tmp_path, calibrated(m888=0.9, m880=0.71, m800=0.7))
    ((order, judged),) = made
    assert [tier.mode for tier in order.policy.tiers] == [0, 2]
    assert judged.policy == f"{IDLE}880: a mixture of 800 and 888 costs the same and is right in 9.00 % more"


def test_a_mode_that_is_too_slow_is_never_chosen_unless_it_is_the_cheapest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: list[tuple[Order, Judged]]
) -> None:
    cycles = {"888": 20_000_000, "880": 15_000_000, "800": 8_000_000}
    counts(monkeypatch, Counted(cycles, cycles=cycles))
    found = replace(calibrated(m888=0.95, m880=0.9, m800=0.6), validation_images=100_000)
    governor = GovernorSection(capacity_mah=230, days=90)
    publish(tmp_path, found, "mps2-an386", governor, max_ms=150.0)
    ((order, judged),) = made
    assert [tier.mode for tier in order.policy.tiers] == [1, 2]
    assert order.policy.plan is not None
    assert [point.mode for point in order.policy.plan.points] == [2, 1]
    assert judged.policy == f"{IDLE}888: takes 180 ms, modelled, over max_ms = 150"
    made.clear()
    publish(tmp_path, found, "mps2-an386", max_ms=10.0)
    ((order, judged),) = made
    # One mode alone needs no tiers.
    assert order.policy.tiers == ()
    assert judged.policy.count("over max_ms = 10") == 2


def test_a_limit_of_time_needs_cycles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: list[tuple[Order, Judged]]
) -> None:
    counts(monkeypatch, Counted({"888": 100, "880": 80, "800": 50}))
    lacks = r"policy\.max_ms: nobody knows how long modes take on mps3-an547: its target\.toml has no \[energy\]"
    with pytest.raises(DimmerError, match=lacks):
        publish(tmp_path, calibrated(), "mps3-an547", max_ms=10.0)
    # Every build has a firmware of this machine beside the target's: it verifies, and has no battery.
    publish(tmp_path, calibrated(), max_ms=10.0)
    assert made[0][1].policy.startswith("policy.max_ms: nobody knows how long modes take on this machine: it limits")


def test_a_limit_of_time_takes_an_estimate_where_the_target_has_no_constants(tmp_path: Path) -> None:
    order, target = modes_order(tmp_path), load_target("ethos-u55-128")
    cycles = {"888": 300_000, "880": 200_000, "800": 100_000}
    counted = Counted(cycles=cycles, milliseconds={name: each / 500_000 for name, each in cycles.items()})
    order, judged = published.worth_running(order, calibrated(), PolicySection(max_ms=0.5), target, counted)
    assert "888: takes 0.6 ms, by Vela's estimate, over max_ms = 0.5" in judged.policy
    assert 0 not in {tier.mode for tier in order.policy.tiers}
    section = PolicySection(recharge="uniform", recharge_hours=10)
    with pytest.raises(DimmerError, match=r"what its modes draw on ethos-u55-128: its target\.toml has no \[energy\]"):
        published.worth_running(order, calibrated(), section, target, counted)


def test_the_governor_s_menu_of_an_npu_comes_from_estimated_cycles(tmp_path: Path) -> None:
    constant = Constant(1.0, 0.1, "made up for a test")
    energy = Energy("switched", replace(constant, value=1800), replace(constant, value=500), cycle_pj=constant)
    target = replace(load_target("ethos-u55-128"), energy=energy)
    counted = Counted(cycles={"888": 300_000, "880": 200_000, "800": 100_000})
    governor = GovernorSection(capacity_mah=100, millivolts=3000, days=30, period_s=60)
    found = replace(calibrated(m888=0.95, m880=0.93, m800=0.8), validation_images=100_000)
    order, judged = published.worth_running(modes_order(tmp_path), found, PolicySection(), target, counted, governor)
    assert order.policy.plan is not None
    points = order.policy.plan.points
    assert [point.mode for point in points] == [2, 1, 0]
    assert [point.cost for point in points] == sorted(point.cost for point in points)
    assert judged.governor.startswith("the governor chooses from 800")
    # 300 uC every minute, at 1.8 V of the 3 V, are 3 uA more that the device counts as drawn.
    hungry = replace(target, energy=replace(energy, application_uc=replace(constant, value=300)))
    args = modes_order(tmp_path), found, PolicySection(), hungry, counted, governor
    more, _ = published.worth_running(*args, duty_of(DutySection(), governor))
    assert more.policy.plan == plan_of(governor, [(2, 100.0), (1, 200.0), (0, 300.0)], 8.0)
    assert more.policy.plan.sleep_q8 > order.policy.plan.sleep_q8


def test_thresholds_follow_from_the_charger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: list[tuple[Order, Judged]]
) -> None:
    cycles = {"888": 20_000_000, "880": 15_000_000, "800": 8_000_000}
    counts(monkeypatch, Counted(cycles, cycles=cycles))
    found = replace(calibrated(m888=0.95, m880=0.93, m800=0.8), validation_images=100_000)
    duty = Duty(period_s=10, capacity_mah=40)

    def tiers(hours: float, target: str = "mps2-an386") -> list[tuple[int, int]]:
        made.clear()
        section = PolicySection(recharge="exponential", recharge_hours=hours)
        published.make_published(
            modes_order(tmp_path), found, section, load_target(target), tmp_path / "out", silent, duty=duty
        )
        return [(tier.min_charge_permille, tier.mode) for tier in made[0][0].policy.tiers]

    assert tiers(10_000) == [(0, 2)]
    soon, later = tiers(30), tiers(48)
    assert [mode for _, mode in soon] == [mode for _, mode in later] == [0, 1, 2]
    # The later it comes, the sooner the device dims.
    assert all(a < b for (a, _), (b, _) in zip(soon[:2], later[:2], strict=True))
    text = "thresholds computed, modelled, for a charger that comes after 48 h on an average, exponential"
    assert made[0][1].policy == text
    # Without figures: one mode, and the cheapest when the battery is nearly empty.
    assert tiers(48, "host") == [(100, 1), (0, 2)]
    assert made[0][1].policy.endswith("on this machine: thresholds are not computed")
    with pytest.raises(DimmerError, match=r"^policy\.recharge: nobody knows what its modes draw on mps3-an547"):
        tiers(48, "mps3-an547")
