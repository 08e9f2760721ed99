# SPDX-License-Identifier: Apache-2.0
"""Energy: by cycles where they are known, and the note says by what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dimmer.pipeline.energy.inference import energy_note, inference_uj
from dimmer.targets import load_target
from dimmer.targets.target import Energy

BOTH = Energy(nanojoules_per_instruction=0.5, source="a paper", nanojoules_per_cycle=0.3)
INSTRUCTIONS = Energy(nanojoules_per_instruction=0.5, source="a paper")


@pytest.mark.parametrize(
    ("energy", "instructions", "cycles", "microjoules"),
    [
        (BOTH, 1_000_000, 2_000_000, 600.0),
        (BOTH, 1_000_000, None, 500.0),
        (INSTRUCTIONS, 1_000_000, 2_000_000, 500.0),
        (INSTRUCTIONS, None, 2_000_000, None),
        (None, 1_000_000, 2_000_000, None),
    ],
)
def test_cycles_come_before_instructions(
    energy: Energy | None, instructions: int | None, cycles: int | None, microjoules: float | None
) -> None:
    assert inference_uj(energy, instructions, cycles) == microjoules


def test_the_note_names_unit_constant_and_source() -> None:
    board = replace(load_target("mps2-an386"), energy=BOTH)
    file = "targets/mps2-an386/target.toml"
    assert energy_note(board, True) == f"modelled: cycles x 0.3 nJ (nanojoules_per_cycle in {file}: a paper)"
    by_instructions = f"modelled: instructions x 0.5 nJ (nanojoules_per_instruction in {file}: a paper)"
    assert energy_note(board, False) == by_instructions
    assert energy_note(replace(board, energy=INSTRUCTIONS), True) == by_instructions
    assert energy_note(replace(board, energy=None), True) == f"{file} has no [energy]"
    blind = replace(board, runner=replace(board.runner, count_flags=()))
    assert "does not count" in energy_note(blind, False)


def test_targets_with_a_model_have_energy_by_cycles_or_none() -> None:
    for name in ("mps2-an386", "mps2-an505"):
        energy = load_target(name).energy
        assert energy is not None
        assert energy.nanojoules_per_cycle is not None
        ratio = energy.nanojoules_per_instruction / energy.nanojoules_per_cycle
        assert ratio == pytest.approx(1.64, rel=0.02), "cycles an instruction, as the source says"
