# SPDX-License-Identifier: Apache-2.0
"""What modes cost on a board is counted by the emulated board with its core."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.image import counting
from dimmer.pipeline.image.compiled import compile_modes
from dimmer.pipeline.image.counting import costs_of
from dimmer.pipeline.image.events import ModeCounted, StackUsed, StepCounted, SwitchCounted, only
from dimmer.pipeline.image.figures import Judged, Ran, figures_of
from dimmer.pipeline.image.make import judge
from dimmer.targets import load_target
from tests.firmware_gen.modes import MODES
from tests.pipeline.artifact_examples import calibration
from tests.pipeline.image.orders import modes_order
from tests.tiny import silent


@pytest.mark.board("nrf52840dk")
def test_a_board_has_the_counts_of_its_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order, board, out = modes_order(tmp_path), load_target("nrf52840dk"), tmp_path / "out"
    full = compile_modes(order, order.modes, board, out, prove_stack=True)
    costs = costs_of(order, board, full, out, silent)
    assert costs.counter == "mps2-an386"
    modes, steps = only(ModeCounted, costs.events), only(StepCounted, costs.events)
    assert [mode.mode for mode in modes] == list(MODES)
    (switch,) = only(SwitchCounted, costs.events)
    assert switch.instructions is not None
    # The stack is the board's own, and once.
    (stack,) = only(StackUsed, costs.events)
    assert stack.bytes is not None
    assert costs.modelled.modes
    assert costs.modelled.note.endswith("; counted on mps2-an386")
    figures = figures_of(
        order, board, full, full, Ran(costs.events, {}, costs.modelled, costs.counter), Judged(), set()
    )
    for mode, cycles in zip(figures.modes, costs.modelled.modes, strict=True):
        assert mode.instructions is not None
        assert (mode.cycles, mode.cycles_source) == (cycles, "model")
        parts = [step.instructions or 0 for step in steps if step.mode == mode.name]
        assert sum(parts) == pytest.approx(mode.instructions, rel=0.02)
    assert figures.switch.instructions == switch.instructions
    told = "counted on mps2-an386, whose core runs the same code but for the start-up"
    assert figures.notes["modes[*].instructions"] == figures.notes["switch.instructions"] == told
    # What is judged before is counted there, too.
    counted = judge(order, calibration(), board, silent, needed=True)
    assert counted.instructions == {mode.mode: mode.instructions for mode in modes}
    assert counted.cycles == dict(zip(MODES, costs.modelled.modes, strict=True))

    monkeypatch.setattr(counting, "counter_of", lambda _: None)
    alone = costs_of(order, board, full, out, silent)
    assert alone.counter is None
    assert {mode.instructions for mode in only(ModeCounted, alone.events)} == {None}


@pytest.mark.board("nrf52840dk")
def test_one_that_chose_other_kernels_counts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order, board, out = modes_order(tmp_path), load_target("nrf52840dk"), tmp_path / "out"
    full = compile_modes(order, order.modes[:1], board, out)
    monkeypatch.setattr(counting, "counter_of", lambda _: replace(load_target("mps2-an386"), core="cortex-m3"))
    with pytest.raises(DimmerError, match="mps2-an386 and nrf52840dk chose other kernels: report it"):
        costs_of(replace(order, modes=order.modes[:1]), board, full, out, silent)
