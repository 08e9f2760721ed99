# SPDX-License-Identifier: Apache-2.0
"""The account of a device: periods, days, levers; and no more digits than are known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dimmer.pipeline.energy.account import Besides, Counted, account, besides
from dimmer.pipeline.recipe.sections.duty import Duty
from dimmer.targets.power.constants import Constant, Energy

ENERGY = Energy(
    "linear",
    Constant(2000, 0, "a paper"),
    Constant(100, 0, "a paper"),
    board="lamp",
    cycle_pc=Constant(200, 20, "a paper"),
    wait_factor=Constant(1.0, 0.0, "a paper"),
    sleep_ua=Constant(10, 1, "a paper"),
    wake_uc=Constant(5, 1, "a paper"),
    application_uc=Constant(95, 9, "a paper"),
)
DUTY = Duty(period_s=10, capacity_mah=100, millivolts=3000)
# 1,000 and 400 microcoulombs.
MODES = (Counted("88", None, 5_000_000), Counted("20", None, 2_000_000))


def test_a_period_takes_inference_wake_up_application_and_sleep() -> None:
    found = account(ENERGY, DUTY, MODES)
    assert found is not None
    assert (found.kind, found.board, found.regulator) == ("modelled", "lamp", "linear")
    top, low = found.modes
    assert top.milliseconds.value == 50
    assert top.inference_uc.value == 1000
    assert top.inference_uj.value == 2000
    assert top.period_uc.value == pytest.approx(1200, abs=100), "1000 + 5 + 95 + 10 x 10"
    assert top.period_uj.value == pytest.approx(3600, abs=100), "from a cell of 3 V"
    assert top.sleep_share == pytest.approx(200 / 1200, abs=0.001)
    assert low.sleep_share == pytest.approx(200 / 600, abs=0.001)
    days = 100 * 3600 * 1000 / 120 / 86_400
    assert top.life_days.low < days < top.life_days.high
    assert low.life_days.value == pytest.approx(2 * days, rel=0.05)
    assert found.coulombs_a_day.value == pytest.approx(120e-6 * 86_400, abs=0.5)


def test_behind_a_switched_regulator_the_cells_voltage_divides() -> None:
    switched = replace(ENERGY, regulator="switched", cycle_pc=None, cycle_pj=Constant(400, 40, "a paper"))
    found = account(switched, DUTY, MODES)
    assert found is not None
    # 2000 uJ and 2 x 100 uJ besides from 3 V, and 100 uC of sleep.
    assert found.modes[0].period_uc.value == pytest.approx(2200 / 3 + 100, rel=0.03)


def test_figures_have_the_digits_that_their_uncertainty_deserves() -> None:
    found = account(replace(ENERGY, cycle_pc=Constant(193.7, 24.1, "a paper")), DUTY, MODES)
    assert found is not None
    energy = found.modes[0].inference_uj
    assert (energy.value, energy.low, energy.high) == (1900, 1700, 2200)


def test_nothing_where_a_mode_was_not_counted_or_constants_lack() -> None:
    assert account(None, DUTY, MODES) is None
    assert account(ENERGY, DUTY, [*MODES, Counted("00", None, None)]) is None
    assert account(ENERGY, DUTY, []) is None


def test_each_lever_saves_by_itself() -> None:
    found = account(ENERGY, DUTY, MODES)
    assert found is not None
    saves = {one.name: one.saves for one in found.levers}
    # 120 uA: 60 in the dimmest mode, 65 at half the rate, 10 + 110 x 2/3 with a quiet night, 115 with half the sleep.
    assert saves["mode"] == pytest.approx(0.5, abs=0.001)
    assert saves["period"] == pytest.approx(55 / 120, abs=0.001)
    assert saves["quiet hours"] == pytest.approx(110 / 3 / 120, abs=0.001)
    assert saves["sleep"] == pytest.approx(5 / 120, abs=0.001)
    # An event every 10 minutes: 1,100 uC in 600 s.
    assert saves["events"] == pytest.approx(1 - (10 + 1100 / 600) / 120, abs=0.001)
    assert "clock" not in saves
    assert any("fixed_ua" in note for note in found.notes)
    assert [one.saves for one in found.levers] == sorted(saves.values(), reverse=True)
    assert not any(one.in_use for one in found.levers)


def test_what_the_recipe_has_already_is_compared_with_doing_without() -> None:
    found = account(ENERGY, replace(DUTY, quiet_hours=12, events_per_hour=60), MODES)
    assert found is not None
    levers = {one.name: one for one in found.levers}
    assert levers["quiet hours"].in_use
    assert levers["events"].in_use
    assert "period" not in levers
    # 30 events a day and 12 quiet hours: 1,100 uC every 120 s; without quiet hours every 60 s; periodic every 20 s.
    mean = 10 + 1100 / 120
    assert levers["quiet hours"].saves == pytest.approx(1 - mean / (10 + 1100 / 60), abs=0.001)
    assert levers["events"].saves == pytest.approx(1 - mean / (10 + 1100 / 20), abs=0.001)


def test_a_slower_clock_shows_what_it_costs() -> None:
    energy = replace(ENERGY, fixed_ua=Constant(4000, 400, "a paper"))
    found = account(energy, DUTY, MODES)
    assert found is not None
    clock = next(one for one in found.levers if one.name == "clock")
    # 50 ms more at 4,000 uA: 200 uC of 1,200.
    assert clock.saves == pytest.approx(-200 / 1200, abs=0.001)
    slow = account(energy, replace(DUTY, clock_mhz=50), MODES)
    assert slow is not None
    assert slow.modes[0].milliseconds.value == 100
    assert next(one for one in slow.levers if one.name == "clock").in_use
    unknown = account(ENERGY, replace(DUTY, clock_mhz=50), MODES)
    assert unknown is not None
    assert any("is taken to cost what it does at 100 MHz" in note for note in unknown.notes)


def test_a_period_is_no_shorter_than_an_inference() -> None:
    found = account(ENERGY, replace(DUTY, period_s=0.01), MODES)
    assert found is not None
    assert found.modes[0].sleep_share < 0.1
    # 1,100 uC in 50 ms, and 10 uA: 22 mA.
    assert found.modes[0].life_days.value == pytest.approx(100 / 22.01 / 24, rel=0.05)
    assert any("without a pause" in note for note in found.notes)


def test_the_recipes_own_sleep_counts_before_the_boards() -> None:
    found = account(ENERGY, replace(DUTY, sleep_ua=20.0), MODES)
    assert found is not None
    assert next(one for one in found.constants if one.name == "sleep_ua").value == 20
    bare = account(replace(ENERGY, sleep_ua=None), DUTY, MODES)
    assert bare is not None
    assert "assumed" in next(one for one in bare.constants if one.name == "sleep_ua").source


def test_measured_constants_say_file_and_day() -> None:
    mine = Constant(190, 2, "my board", "2026-11-29", "trace.csv")
    found = account(replace(ENERGY, cycle_pc=mine, wait_factor=replace(mine, value=1.05)), DUTY, MODES)
    assert found is not None
    assert found.kind == "measured"
    used = next(one for one in found.constants if one.name == "cycle_pc")
    assert (used.kind, used.date, used.trace) == ("measured", "2026-11-29", "trace.csv")


def test_what_is_drawn_besides_inferences() -> None:
    assert besides(ENERGY, DUTY) == Besides(sleep_ua=10, period_uc=100)
    assert besides(replace(ENERGY, regulator="switched"), DUTY).period_uc == pytest.approx(100 * 2000 / 3000)
    assert besides(ENERGY, replace(DUTY, sleep_ua=20.0)).sleep_ua == 20
    assert besides(None, DUTY) == Besides(0.0, 0.0)


def test_a_constant_that_nothing_is_from_is_not_told() -> None:
    energy = replace(ENERGY, cycles_per_instruction=Constant(1.5, 0.1, "a paper"))
    by_cycles, by_instructions = account(energy, DUTY, MODES), account(energy, DUTY, [Counted("88", 1_000_000, None)])
    assert by_cycles is not None
    assert by_instructions is not None
    assert "cycles_per_instruction" not in [one.name for one in by_cycles.constants]
    assert "cycles_per_instruction" in [one.name for one in by_instructions.constants]
