# SPDX-License-Identifier: Apache-2.0
"""Which of the published modes a firmware has, and which its policy uses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.pipeline.artifacts.calibration import Calibration
from dimmer.pipeline.artifacts.firmware import Firmware, LeftOut
from dimmer.pipeline.image import published
from dimmer.pipeline.image.figures import Judged
from dimmer.pipeline.image.make import Counted
from dimmer.pipeline.image.order import Order
from dimmer.pipeline.recipe.sections.governor import GovernorSection
from dimmer.pipeline.recipe.sections.policy import PolicySection
from dimmer.targets import Target, load_target
from tests.firmware_gen.modes import MODES
from tests.pipeline.artifact_examples import calibration, firmware
from tests.pipeline.image.orders import modes_order
from tests.tiny import silent

NAMES = tuple(MODES)


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
    folder: Path, calibrated: Calibration, target: str = "host", governor: GovernorSection | None = None
) -> None:
    policy, out = PolicySection((600, 300)), folder / "out"
    wanted = governor or GovernorSection()
    published.make_published(modes_order(folder), calibrated, policy, load_target(target), out, silent, wanted)


def test_where_nothing_is_counted_every_mode_has_its_tier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: list[tuple[Order, Judged]]
) -> None:
    counts(monkeypatch, Counted())
    publish(tmp_path, calibrated())
    ((order, judged),) = made
    assert [mode.name for mode in order.modes] == list(NAMES)
    assert [(tier.min_charge_permille, tier.mode) for tier in order.policy.tiers] == [(600, 0), (300, 1), (0, 2)]
    assert judged == Judged()


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
    assert judged.idle == {"880": "888"}
    assert [tier.mode for tier in order.policy.tiers] == [0, 2]


def test_cycles_say_which_modes_are_of_use_where_they_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: list[tuple[Order, Judged]]
) -> None:
    cycles = {"888": 200, "880": 150, "800": 160}
    counts(monkeypatch, Counted({"888": 100, "880": 90, "800": 80}, cycles=cycles))
    publish(tmp_path, calibrated(m888=0.9, m880=0.8, m800=0.7))
    ((order, judged),) = made
    assert (judged.idle, judged.unit) == ({"800": "880"}, "cycles")
    assert [tier.mode for tier in order.policy.tiers] == [0, 1]


def test_tiers_stand_by_what_the_modes_cost_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: list[tuple[Order, Judged]]
) -> None:
    counts(monkeypatch, Counted({"888": 90, "880": 100, "800": 50}))
    publish(tmp_path, calibrated(m888=0.8, m880=0.9, m800=0.7))
    ((order, judged),) = made
    assert judged.idle == {}
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
        "the governor chooses from 800 (5,028 uJ), 888 (8,800 uJ), modelled; not from 880"
    )
    made.clear()
    publish(tmp_path, found, "mps3-an547", wanted)
    ((order, judged),) = made
    assert order.policy.plan is None
    assert "target.toml has no [energy]: there is no plan" in judged.governor
    made.clear()
    publish(tmp_path, found, "mps2-an386")
    assert (made[0][0].policy.plan, made[0][1].governor) == (None, "")
