# SPDX-License-Identifier: Apache-2.0
"""Measured constants: the model made of them gives back what was measured, and files keep what they had."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.energy.inference import drawn
from dimmer.pipeline.energy.measurement.constants import (
    Setting,
    constants_of,
    cycles_of_mode,
    place_of,
    write_constants,
)
from dimmer.pipeline.energy.measurement.result import Measured, Spread
from dimmer.targets import load_target
from dimmer.targets.kit.schema import Table
from dimmer.targets.power.constants import Energy, load_board, measured_of, with_measured

MEASURED = Measured(50, 50, Spread(0.25, 0.002), Spread(5000, 50), Spread(15_000, 150), 3000, Spread(2.5, 0.5))
CYCLES = 28_000_000
SETTING = Setting("trace.csv", "2026-11-29", CYCLES, asleep=True)
LINEAR, SWITCHED = load_board("nucleo-l4r5zi"), load_board("nrf52840dk")


@pytest.mark.parametrize("energy", [LINEAR, SWITCHED])
def test_the_model_of_measured_constants_gives_back_the_measurement(energy: Energy) -> None:
    found = constants_of(MEASURED, energy, SETTING)
    mine = replace(energy, **found)  # type: ignore[arg-type]
    one = drawn(mine, None, CYCLES)
    assert one is not None
    assert one.seconds == pytest.approx(0.25, rel=1e-4)
    assert one.microcoulombs == pytest.approx(5000, rel=1e-4)
    assert one.microjoules == pytest.approx(15_000, rel=1e-4)
    assert found["sleep_ua"].value == 2.5
    assert found["supply_mv"].value == 3000
    for constant in found.values():
        assert (constant.measured_on, constant.trace) == ("2026-11-29", "trace.csv")
        assert "50 inferences" in constant.source


def test_spread_and_the_meters_accuracy_are_the_uncertainty() -> None:
    found = constants_of(MEASURED, LINEAR, replace(SETTING, accuracy=0.05))
    assert found["cycle_pc"].relative == pytest.approx((0.01**2 + 0.05**2) ** 0.5, rel=1e-3)
    assert found["wait_factor"].relative == pytest.approx(0.008, rel=1e-3), "of the time alone"


def test_what_was_not_told_is_not_made_up() -> None:
    found = constants_of(MEASURED, LINEAR, Setting("trace.csv", "2026-11-29"))
    assert set(found) == {"supply_mv", "cycle_pc"}
    with pytest.raises(DimmerError, match="nothing lies between inferences: leave --asleep away"):
        constants_of(replace(MEASURED, between_ua=None), LINEAR, SETTING)
    with pytest.raises(DimmerError, match=r"-0\.35 uA were drawn between inferences: .* set the meter's zero"):
        constants_of(replace(MEASURED, between_ua=Spread(-0.35, 0.1)), LINEAR, SETTING)


@pytest.mark.parametrize("cycles", [CYCLES * 3, CYCLES // 30])
def test_a_time_that_is_not_that_of_the_mode_is_told(cycles: int) -> None:
    with pytest.raises(
        DimmerError, match="times the cycles of its mode at 120 MHz: name the mode that ran with --mode"
    ):
        constants_of(MEASURED, LINEAR, replace(SETTING, cycles=cycles))


def test_a_board_of_which_only_the_power_is_known() -> None:
    found = constants_of(MEASURED, load_board("jetson-orin-nano"), Setting("tegra.log", "2026-11-29"))
    assert found["active_mw"].value == pytest.approx(60)


def test_a_second_clock_tells_what_is_drawn_at_any() -> None:
    # 24 mA at 120 MHz, of which 4.8 at any clock: 8.8 mA at 25 MHz.
    own = replace(MEASURED, microcoulombs=Spread(0.25 * 24_000, 0))
    mine = replace(LINEAR, **constants_of(own, LINEAR, SETTING))  # type: ignore[arg-type]
    slow = replace(MEASURED, seconds=Spread(1.2, 0), microcoulombs=Spread(1.2 * 8800, 0))
    there = replace(SETTING, clock_mhz=25.0, cycles=None, asleep=False)
    found = constants_of(slow, mine, there)
    assert set(found) == {"fixed_ua"}
    assert found["fixed_ua"].value == pytest.approx(4800, rel=1e-3)
    assert found["fixed_ua"].plus_minus > 0
    back = drawn(replace(mine, fixed_ua=found["fixed_ua"]), None, CYCLES, 25.0)
    assert back is not None
    assert back.microcoulombs == pytest.approx(1.2 * 8800, rel=1e-3)
    with pytest.raises(DimmerError, match="what a cycle takes at 120 MHz is not measured yet"):
        constants_of(slow, LINEAR, there)
    odd = replace(slow, microcoulombs=Spread(1.2 * 100, 0))
    with pytest.raises(DimmerError, match=r"0\.1 mA at 25 MHz and 24 mA at 120 MHz do not go together"):
        constants_of(odd, mine, there)


def test_a_second_clock_behind_a_switched_regulator() -> None:
    own = replace(MEASURED, microcoulombs=Spread(0.25 * 4000, 0), microjoules=Spread(0.25 * 12_000, 0))
    mine = replace(SWITCHED, **constants_of(own, SWITCHED, SETTING))  # type: ignore[arg-type]
    slow = replace(MEASURED, seconds=Spread(1.0, 0), microcoulombs=Spread(1750, 0), microjoules=Spread(5250, 0))
    found = constants_of(slow, mine, replace(SETTING, clock_mhz=16.0, cycles=None))
    # 1 mA at any clock, 3 mA of cycles at 64 MHz and 0.75 at 16.
    assert found["fixed_ua"].value == pytest.approx(1000, rel=1e-3)


RESET = Measured(50, 50, Spread(7.0, 0.01), Spread(7000, 50), Spread(21_000, 150), 3000, None)
"""The same mode at 4 MHz: 28 million cycles in 7 s, at 1 mA."""
AT_RESET = Setting("slow.csv", "2026-11-29", CYCLES, image_mhz=4.0)


@pytest.mark.parametrize("clock_mhz", [None, 4.0])
@pytest.mark.parametrize("energy", [LINEAR, SWITCHED])
def test_what_runs_at_the_clock_after_reset_is_measured_there(energy: Energy, clock_mhz: float | None) -> None:
    found = constants_of(RESET, energy, replace(AT_RESET, clock_mhz=clock_mhz))
    assert found["cycle_pc" if energy.linear else "cycle_pj"].value == pytest.approx(250 if energy.linear else 750)
    assert found["wait_factor"].value == pytest.approx(1)
    assert found["clock_mhz"].value == 4, "of a cycle: it is only known there"
    one = drawn(replace(energy, **found), None, CYCLES)  # type: ignore[arg-type]
    assert one is not None
    assert one.seconds == pytest.approx(7)
    assert one.microcoulombs == pytest.approx(7000, rel=1e-4)


def test_a_second_clock_after_the_one_of_reset() -> None:
    mine = replace(LINEAR, **constants_of(RESET, LINEAR, AT_RESET))  # type: ignore[arg-type]
    # 23.24 mA at 120 MHz.
    fast = replace(MEASURED, microcoulombs=Spread(0.25 * 23_240, 0))
    found = constants_of(fast, mine, replace(AT_RESET, cycles=None, clock_mhz=120.0))
    assert set(found) == {"fixed_ua"}
    back = drawn(replace(mine, fixed_ua=found["fixed_ua"]), None, CYCLES, 120.0)
    assert back is not None
    assert back.microcoulombs / back.seconds == pytest.approx(23_240, rel=1e-3)
    again = constants_of(RESET, mine, AT_RESET)
    assert "clock_mhz" not in again, "it is known"


def test_the_clock_of_the_constants_may_be_measured_before_the_image_is_slower() -> None:
    found = constants_of(MEASURED, LINEAR, replace(AT_RESET, clock_mhz=120.0))
    assert found["cycle_pc"].value == pytest.approx(5000 / 0.25 / 120, rel=1e-4)
    assert "clock_mhz" not in found
    with pytest.raises(DimmerError, match="what a cycle takes at 4 MHz is not measured yet"):
        constants_of(MEASURED, LINEAR, replace(AT_RESET, cycles=None, clock_mhz=16.0))


def test_at_a_second_clock_nothing_that_was_asked_for_is_left_out() -> None:
    mine = replace(LINEAR, **constants_of(MEASURED, LINEAR, SETTING))  # type: ignore[arg-type]
    slow = replace(MEASURED, seconds=Spread(1.2, 0), microcoulombs=Spread(1.2 * 8000, 0))
    there = replace(SETTING, clock_mhz=25.0, cycles=None)
    found = constants_of(slow, mine, there)
    assert set(found) == {"fixed_ua", "sleep_ua"}
    assert found["sleep_ua"].value == 2.5
    with pytest.raises(DimmerError, match="nothing lies between inferences: leave --asleep away"):
        constants_of(replace(slow, between_ua=None), mine, there)
    with pytest.raises(DimmerError, match="the wait factor is not the same there: leave --mode away"):
        constants_of(slow, mine, replace(there, cycles=CYCLES))


def report(folder: Path, modes: object) -> Path:
    path = folder / "bell" / "lock" / "report.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"modes": modes}))
    return path


def test_cycles_are_those_of_the_report(tmp_path: Path) -> None:
    path = report(tmp_path, [{"name": "88", "cycles": 5}, {"name": "80", "cycles": None}])
    assert cycles_of_mode(path, "88") == 5
    with pytest.raises(DimmerError, match="has no mode '44': name one of 88, 80"):
        cycles_of_mode(path, "44")
    with pytest.raises(DimmerError, match="has no cycles of 80: measure without --mode"):
        cycles_of_mode(path, "80")
    wrong: tuple[object, ...] = (3, [3], [{}])
    for broken in wrong:
        with pytest.raises(DimmerError, match="type 'dimmer build --model bell --target lock' first"):
            cycles_of_mode(report(tmp_path, broken), "88")
    with pytest.raises(DimmerError, match="type 'dimmer build"):
        cycles_of_mode(tmp_path / "none" / "none" / "report.json", "88")


def test_constants_are_written_and_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "measured.toml"
    write_constants(path, constants_of(MEASURED, LINEAR, SETTING))
    later = replace(SETTING, day="2026-11-30", trace='a "quoted"\\ name.csv', cycles=None, asleep=False)
    write_constants(path, constants_of(replace(MEASURED, millivolts=2900), LINEAR, later))
    found = measured_of(Table.read(path))
    assert set(found) == {"supply_mv", "cycle_pc", "wait_factor", "sleep_ua"}
    assert found["supply_mv"].value == 2900
    assert found["supply_mv"].trace == 'a "quoted"\\ name.csv'
    assert found["sleep_ua"].measured_on == "2026-11-29"
    energy = with_measured(LINEAR, tmp_path, "lock")
    assert energy is not None
    assert energy.supply_mv.value == 2900


def test_a_wait_factor_of_another_clock_goes(tmp_path: Path) -> None:
    path = tmp_path / "measured.toml"
    write_constants(path, constants_of(MEASURED, LINEAR, SETTING))
    write_constants(path, constants_of(RESET, LINEAR, replace(AT_RESET, cycles=None)))
    assert set(measured_of(Table.read(path))) == {"supply_mv", "clock_mhz", "cycle_pc", "sleep_ua"}


def test_the_place_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DIMMER_PROJECT", "DIMMER_TARGETS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    shipped = load_target("mps2-an386")
    with pytest.raises(
        DimmerError, match="one of Dimmer's own targets, and this is no project: type 'dimmer init NAME'"
    ):
        place_of(shipped)
    own = replace(shipped, folder=tmp_path / "targets" / "lock", name="lock")
    assert place_of(own) == tmp_path / "targets" / "lock" / "measured.toml"
    (tmp_path / "dimmer.toml").write_text("[project]\n")
    assert place_of(shipped) == tmp_path / "measured" / "mps2-an386.toml"


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DimmerError, match="cannot be written"):
        write_constants(tmp_path / "file" / "measured.toml", constants_of(MEASURED, LINEAR, SETTING))
