# SPDX-License-Identifier: Apache-2.0
"""Cycles of modes and steps: the model's where the core counts none, a reason where there is no model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.pipeline.image import cycles
from dimmer.pipeline.image.cycles import cycles_of_modes, model_cycles
from dimmer.pipeline.image.events import Event, ModeCounted, StepCounted
from dimmer.pipeline.image.make import make
from dimmer.targets import Target, load_target
from dimmer.targets.timing.cycles import Stretch
from tests.pipeline.image.orders import modes_order
from tests.tiny import silent

EVENTS: tuple[Event, ...] = (ModeCounted("88", 100), ModeCounted("80", 60), StepCounted("88", 0, 90))


def stretch(instructions: int) -> Stretch:
    return Stretch(instructions, 2 * instructions, {}, {"loads": 2 * instructions})


@pytest.fixture
def stretches(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[Stretch, ...]]:
    """What the emulator is made to say of each command."""
    found = {"bench": (stretch(100), stretch(61), stretch(5000)), "layers": (stretch(90),)}

    def modelled(_target: Target, _elf: Path, arguments: list[str], _cwd: Path) -> tuple[Stretch, ...]:
        return found[arguments[0]]

    monkeypatch.setattr(cycles, "modelled", modelled)
    return found


def test_stretches_are_the_modes_and_the_steps(stretches: object, tmp_path: Path) -> None:
    found = model_cycles(load_target("mps2-an386"), tmp_path / "elf", tmp_path, EVENTS)
    assert (found.modes, found.steps, found.spent) == ((200, 122), (180,), ({"loads": 180},))
    assert "the manual of Cortex-M4, 0 wait states, 2 cycles to refill" in found.note
    assert "guess" not in found.note
    assert (
        "a guess: the manual of Cortex-M33" in model_cycles(load_target("mps2-an505"), tmp_path, tmp_path, EVENTS).note
    )


def test_modes_have_cycles_all_or_none(stretches: dict[str, tuple[Stretch, ...]], tmp_path: Path) -> None:
    board = load_target("mps2-an386")
    assert cycles_of_modes(board, tmp_path, tmp_path, EVENTS) == {"88": 200, "80": 122}
    measured = (ModeCounted("88", 100, 140), ModeCounted("80", 60, 90))
    assert cycles_of_modes(board, tmp_path, tmp_path, measured) == {"88": 140, "80": 90}
    stretches["bench"] = (stretch(7),)
    assert cycles_of_modes(board, tmp_path, tmp_path, EVENTS) == {}
    assert cycles_of_modes(load_target("mps2-an500"), tmp_path, tmp_path, EVENTS) == {}


def test_cycles_that_the_core_counted_are_not_modelled(tmp_path: Path) -> None:
    found = model_cycles(load_target("mps2-an386"), tmp_path, tmp_path, (ModeCounted("88", 100, 140),))
    assert (found.modes, found.steps) == ((), ())


def test_a_model_that_ran_something_else_is_no_model(stretches: dict[str, tuple[Stretch, ...]], tmp_path: Path) -> None:
    board = load_target("mps2-an386")
    stretches["layers"] = (stretch(90), stretch(1))
    found = model_cycles(board, tmp_path, tmp_path, EVENTS)
    assert (found.modes, found.note) == ((), "the firmware read its counter around 2 stretches, not 1")
    stretches["layers"] = (stretch(99),)
    assert "ways of counting instructions disagree: 90 and 99" in model_cycles(board, tmp_path, tmp_path, EVENTS).note


def test_a_core_without_a_table_has_a_reason(tmp_path: Path) -> None:
    for name in ("mps2-an500", "mps3-an547", "riscv-virt", "host"):
        found = model_cycles(load_target(name), tmp_path, tmp_path, EVENTS)
        assert found.modes == ()
        assert "nothing models the cycles of " in found.note


@pytest.mark.board("mps2-an386")
def test_a_firmware_has_cycles_of_every_mode_and_layer(tmp_path: Path) -> None:
    figures = make(modes_order(tmp_path), load_target("mps2-an386"), tmp_path / "out", silent)
    for mode in figures.modes:
        assert mode.cycles_source == "model"
        assert mode.cycles is not None
        assert mode.instructions is not None
        assert 1.2 < mode.cycles / mode.instructions < 2.5
        parts = [step.cycles for step in figures.steps if step.mode == mode.name and step.cycles is not None]
        assert sum(parts) == pytest.approx(mode.cycles, rel=0.02)
    assert figures.notes["modes[*].cycles"].startswith("modelled: blocks that ran, timed by the manual of Cortex-M4")
    assert "modes[*].cycles_source" not in figures.notes
    assert all(sum(step.spent.values()) == step.cycles for step in figures.steps)
    board = load_target("mps2-an386")
    blind = make(modes_order(tmp_path), replace(board, timing=None), tmp_path / "blind", silent)
    assert {mode.cycles for mode in blind.modes} == {step.cycles for step in blind.steps} == {None}
    assert "has no [timing]" in blind.notes["modes[*].cycles"]
