# SPDX-License-Identifier: Apache-2.0
"""What an inference takes: a constant of the target times cycles, or times instructions where there are no cycles."""

from __future__ import annotations

from dimmer.targets.target import Energy, Target


def inference_uj(energy: Energy | None, instructions: int | None, cycles: int | None) -> float | None:
    """Microjoules of one inference: cycles times nanojoules a cycle, else instructions times nanojoules each.

    None where the target has no figure, or nothing was counted.
    """
    if energy is None:
        return None
    if cycles is not None and energy.nanojoules_per_cycle is not None:
        return round(cycles * energy.nanojoules_per_cycle / 1000, 3)
    return None if instructions is None else round(instructions * energy.nanojoules_per_instruction / 1000, 3)


def energy_note(target: Target, with_cycles: bool) -> str:
    """How the microjoules were come by, or why there are none.

    Args:
        with_cycles: whether the cycles of every mode are known.
    """
    energy, file = target.energy, f"targets/{target.name}/target.toml"
    if energy is None:
        return f"{file} has no [energy]"
    if not target.counts_instructions:
        return "modelled from instructions, which this target does not count"
    if with_cycles and energy.nanojoules_per_cycle is not None:
        unit, constant, key = "cycles", energy.nanojoules_per_cycle, "nanojoules_per_cycle"
    else:
        unit, constant, key = "instructions", energy.nanojoules_per_instruction, "nanojoules_per_instruction"
    return f"modelled: {unit} x {constant:g} nJ ({key} in {file}: {energy.source})"
