# SPDX-License-Identifier: Apache-2.0
"""An inference takes cycles x wait factor x a constant: a charge behind a linear regulator, else an energy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dimmer.pipeline.energy.inference import cell_uj, drawn, energy_note, inference_uj
from dimmer.targets import load_target
from dimmer.targets.power.constants import Constant, Energy, load_board

VOLTS, CLOCK = Constant(2000, 0, "a paper"), Constant(100, 0, "a paper")
WAITS, EACH = Constant(1.1, 0.11, "a paper"), Constant(1.5, 0.15, "a paper")
LINEAR = Energy(
    "linear", VOLTS, CLOCK, cycle_pc=Constant(200, 20, "a paper"), wait_factor=WAITS, cycles_per_instruction=EACH
)
SWITCHED = replace(LINEAR, regulator="switched", cycle_pc=None, cycle_pj=Constant(400, 40, "a paper"))
TIMED = replace(LINEAR, regulator="switched", cycle_pc=None, active_mw=Constant(50, 5, "a paper"))


@pytest.mark.parametrize("energy", [LINEAR, SWITCHED])
def test_cycles_times_wait_factor_times_constant(energy: Energy) -> None:
    one = drawn(energy, None, 2_000_000)
    assert one is not None
    assert one.seconds == pytest.approx(0.022)
    assert one.microcoulombs == pytest.approx(440)
    assert one.microjoules == pytest.approx(880)
    assert one.error == pytest.approx(0.1 * 2**0.5), "of wait factor and constant"
    assert one.seconds_error == pytest.approx(0.1), "of the wait factor"
    assert inference_uj(energy, None, 2_000_000) == pytest.approx(880)


def test_only_the_time_counts_where_only_power_is_known() -> None:
    one = drawn(TIMED, None, 2_000_000)
    assert one is not None
    assert one.microjoules == pytest.approx(0.022 * 50_000)


def test_cycles_come_before_instructions() -> None:
    assert inference_uj(LINEAR, 1_000_000, 3_000_000) == pytest.approx(1320)
    assert inference_uj(LINEAR, 2_000_000, None) == pytest.approx(1320)
    by_instructions = drawn(LINEAR, 2_000_000, None)
    assert by_instructions is not None
    assert by_instructions.error == pytest.approx(0.1 * 3**0.5)
    assert inference_uj(replace(LINEAR, cycles_per_instruction=None), 2_000_000, None) is None
    assert inference_uj(LINEAR, None, None) is None
    assert inference_uj(None, 1, 1) is None


def test_a_cell_of_more_volts_pays_more_behind_a_linear_regulator_only() -> None:
    assert cell_uj(LINEAR, None, 2_000_000, 3000) == pytest.approx(1320)
    assert cell_uj(SWITCHED, None, 2_000_000, 3000) == pytest.approx(880)
    assert cell_uj(None, None, 2_000_000, 3000) is None


def test_what_is_drawn_at_any_clock_is_drawn_longer_at_a_slow_one() -> None:
    energy = replace(LINEAR, fixed_ua=Constant(5000, 500, "a paper"))
    own, slow = drawn(energy, None, 2_000_000), drawn(energy, None, 2_000_000, 50)
    assert own is not None
    assert slow is not None
    assert own.microcoulombs == pytest.approx(440), "the constant of a cycle is the board's at its own clock"
    assert slow.seconds == pytest.approx(2 * own.seconds)
    assert slow.microcoulombs == pytest.approx(440 + 5000 * 0.022)
    plain = drawn(LINEAR, None, 2_000_000, 50)
    assert plain is not None
    assert plain.microcoulombs == pytest.approx(440)


def test_the_model_gives_what_was_published_of_its_own_cycles() -> None:
    """MLPerf Tiny v1.2, ResNet-8 by X-CUBE-AI on an STM32L4R5: 165.1 ms, 6,919 uJ; 19.59 million cycles by manual."""
    one = drawn(load_board("nucleo-l4r5zi"), None, 19_590_000)
    assert one is not None
    assert one.seconds == pytest.approx(0.1651, rel=one.seconds_error)
    assert one.microjoules == pytest.approx(6919, rel=one.error)
    assert one.error < 0.16


def test_the_note_names_unit_constant_and_source() -> None:
    board = replace(load_target("mps2-an386"), energy=replace(LINEAR, board="lamp"))
    note = energy_note(board, True)
    file = "targets/mps2-an386/target.toml"
    assert note.startswith("modelled: cycles x wait factor 1.1 x 200 pC x 2 V, linear regulator, +-14%")
    assert note.endswith(f"(lamp, as {file} says: a paper)")
    assert "instructions x 1.5 cycles x" in energy_note(board, False)
    assert "400 pJ, switched regulator" in energy_note(replace(board, energy=SWITCHED), True)
    assert "50 mW" in energy_note(replace(board, energy=TIMED), True)
    assert energy_note(replace(board, energy=None), True) == f"{file} has no [energy]"
    lacking = replace(board, energy=replace(LINEAR, cycles_per_instruction=None))
    assert "no [energy.cycles_per_instruction]" in energy_note(lacking, False)
    blind = replace(board, runner=replace(board.runner, count_flags=()))
    assert "mps2-an386 has no instruction counter" in energy_note(blind, False)


def test_measured_is_what_both_constants_were_measured_for() -> None:
    mine = Constant(190, 2, "my board", "2026-11-29", "trace.csv")
    board = replace(load_target("mps2-an386"), energy=replace(LINEAR, cycle_pc=mine))
    assert energy_note(board, True).startswith("modelled")
    waits = replace(mine, value=1.05, plus_minus=0.01)
    assert energy_note(replace(board, energy=replace(LINEAR, cycle_pc=mine, wait_factor=waits)), True).startswith(
        "measured"
    )


@pytest.mark.parametrize("name", ["mps2-an386", "mps2-an505", "mps2-an500", "mps2-an385-v6m"])
def test_emulated_boards_name_the_real_one_whose_constants_they_take(name: str) -> None:
    energy = load_target(name).energy
    assert energy is not None
    assert energy.board is not None
    assert load_board(energy.board).clock_mhz == energy.clock_mhz
