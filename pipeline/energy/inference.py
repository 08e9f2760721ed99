# SPDX-License-Identifier: Apache-2.0
"""What an inference takes: cycles, times the wait factor, times what a cycle takes on the target's board.

Behind a linear regulator the current does not depend on the voltage, so that a cycle takes a charge; behind a switched
one it takes an energy. Where cycles are not known, instructions stand in for them, at a constant number of cycles each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from dimmer.targets.counter import counter_of, uncounted
from dimmer.targets.power.constants import Constant, Energy
from dimmer.targets.target import Target


@dataclass(frozen=True)
class Drawn:
    """What one inference takes from the board's supply.

    Attributes:
        seconds: that it lasts.
        seconds_error: standard uncertainty of that, as a share of it.
        microcoulombs: at the supply's voltage.
        microjoules: at the supply's voltage.
        error: standard uncertainty of the two, as a share of them.
        linear: whether the charge is the same at any voltage, and not the energy.
    """

    seconds: float
    seconds_error: float
    microcoulombs: float
    microjoules: float
    error: float
    linear: bool

    def from_cell_uc(self, millivolts: float) -> float:
        """Microcoulombs that it takes from a cell."""
        return self.microcoulombs if self.linear else self.microjoules * 1000 / millivolts


def drawn(
    energy: Energy | None, instructions: int | None, cycles: int | None, clock_mhz: float | None = None
) -> Drawn | None:
    """What an inference of so many cycles takes, or of so many instructions where cycles are not known.

    Args:
        clock_mhz: the board's where None. At another one a cycle takes what `fixed_ua` draws for a longer or a shorter
            time; without that constant it takes the same.

    Returns:
        None where the target has no figure, or nothing was counted.
    """
    if energy is None:
        return None
    each = energy.cycles_per_instruction
    counted, errors = float(cycles or 0), [energy.wait_factor]
    if cycles is None:
        if instructions is None or each is None:
            return None
        counted, errors = instructions * each.value, [each, energy.wait_factor]
    own = energy.clock_mhz.value
    waited = counted * energy.wait_factor.value
    seconds = waited / (clock_mhz or own) / 1e6
    volts = energy.supply_mv.value / 1000
    constant = energy.cycle_pc if energy.linear else energy.cycle_pj
    if constant is not None:
        of_cycles = waited * constant.value * 1e-6
        charge = of_cycles if energy.linear else of_cycles / volts
    else:
        constant = energy.active_mw
        assert constant is not None
        charge = seconds * constant.value * 1000 / volts
    if energy.fixed_ua is not None:
        charge += energy.fixed_ua.value * (seconds - waited / own / 1e6)
    return Drawn(
        seconds=seconds,
        seconds_error=_together(*errors, energy.clock_mhz),
        microcoulombs=charge,
        microjoules=charge * volts,
        error=_together(*errors, constant),
        linear=energy.linear,
    )


def _together(*constants: Constant) -> float:
    """The uncertainty of their product, as a share of it."""
    return math.sqrt(sum(constant.relative**2 for constant in constants))


def inference_uj(
    energy: Energy | None, instructions: int | None, cycles: int | None, clock_mhz: float | None = None
) -> float | None:
    """Microjoules of one inference at the board's supply, as `drawn`.

    Not rounded to what its uncertainty deserves: modes share their constants, so that they compare better than each
    is known.
    """
    found = drawn(energy, instructions, cycles, clock_mhz)
    return None if found is None else round(found.microjoules, 3)


def cell_uj(
    energy: Energy | None,
    instructions: int | None,
    cycles: int | None,
    millivolts: float,
    clock_mhz: float | None = None,
) -> float | None:
    """Microjoules that one inference takes from a cell of this voltage.

    Behind a linear regulator they grow with the voltage.

    Args:
        clock_mhz: as of `drawn`.
    """
    found = drawn(energy, instructions, cycles, clock_mhz)
    return None if found is None else found.from_cell_uc(millivolts) * millivolts / 1000


def energy_note(target: Target, with_cycles: bool, clock_mhz: float | None = None) -> str:
    """How the microjoules were come by, or why there are none.

    Args:
        with_cycles: whether the cycles of every mode are known.
        clock_mhz: as of `drawn`.
    """
    energy, file = target.energy, f"targets/{target.name}/target.toml"
    if energy is None:
        return f"{file} has no [energy]"
    if not with_cycles and counter_of(target) is None:
        return f"modelled from instructions, and {uncounted(target)}"
    each = energy.cycles_per_instruction
    if not with_cycles and each is None:
        return f"cycles are not known, and {file} has no [energy.cycles_per_instruction]"
    found = drawn(energy, 1000, 1000 if with_cycles else None, clock_mhz)
    assert found is not None
    counted = "cycles" if with_cycles or each is None else f"instructions x {each.value:g} cycles"
    volts = energy.supply_mv.value / 1000
    if (constant := energy.cycle_pc) is not None:
        of_cycle = f"{constant.value:g} pC x {volts:g} V, linear regulator"
    elif (constant := energy.cycle_pj) is not None:
        of_cycle = f"{constant.value:g} pJ, switched regulator"
    else:
        constant = energy.active_mw
        assert constant is not None
        of_cycle = f"the clock's period x {constant.value:g} mW"
    measured = constant.measured_on is not None and energy.wait_factor.measured_on is not None
    kind = "measured" if measured else "modelled"
    if clock_mhz is not None and energy.fixed_ua is not None:
        of_cycle += (
            f", and {energy.fixed_ua.value:g} uA while {clock_mhz:g} MHz take longer than {energy.clock_mhz.value:g}"
        )
    whose = file if energy.board is None else f"{energy.board}, as {file} says"
    waits = f"wait factor {energy.wait_factor.value:g}"
    return f"{kind}: {counted} x {waits} x {of_cycle}, +-{found.error:.0%} ({whose}: {constant.source})"
