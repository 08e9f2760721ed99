# SPDX-License-Identifier: Apache-2.0
"""The account of a device: what a period and a day take, how long a cell lasts, and what saves most.

A period takes one inference, a wake-up, what the application does for it, and sleep; a cell gives its charge at one
voltage. What a cell loses by itself, and what it does not give in the cold, is not counted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dimmer.pipeline.artifacts.energy import EnergyFigures, EnergyKind, Lever, ModeEnergy, Quantity, UsedConstant
from dimmer.pipeline.energy.inference import Drawn, drawn
from dimmer.pipeline.recipe.sections.duty import Duty
from dimmer.targets.power.constants import Constant, Energy

DAY_S = 86_400
_NO_SLEEP = Constant(5.0, 5.0, "assumed: the target's [energy] has no sleep_ua")
_NOTHING = Constant(0.0, 0.0, "")
_QUIET, _EVENTS = 8.0, 6.0
"""What the levers show where the recipe asks for none: a night, an event every ten minutes."""


@dataclass(frozen=True)
class Counted:
    """A mode and what one inference of it takes on the target."""

    name: str
    instructions: int | None
    cycles: int | None


@dataclass(frozen=True)
class _Mean:
    """A current in microamperes, with its standard uncertainty."""

    inference: float
    rest: float
    error: float

    @property
    def all(self) -> float:
        return self.inference + self.rest


def account(energy: Energy | None, duty: Duty, modes: Sequence[Counted]) -> EnergyFigures | None:
    """All that the report tells of energy; None where the target has no constants, or a mode was not counted.

    Args:
        modes: of the firmware, the most expensive first.
    """
    taken = [drawn(energy, mode.instructions, mode.cycles, duty.clock_mhz) for mode in modes]
    known = [one for one in taken if one is not None]
    if energy is None or not known or len(known) < len(modes):
        return None
    device = _Device(energy, duty)
    top = device.mean(known[0])
    return EnergyFigures(
        kind=_kind(energy),
        board=energy.board,
        regulator=energy.regulator,
        supply_mv=energy.supply_mv.value,
        clock_mhz=duty.clock_mhz or energy.clock_mhz.value,
        cell_mah=duty.capacity_mah,
        cell_mv=duty.millivolts,
        period_s=round(DAY_S / duty.inferences_a_day, 3),
        coulombs_a_day=_of(top.all * DAY_S / 1e6, top),
        constants=tuple(
            _used(name, constant)
            for name, constant in device.constants.items()
            if name != "cycles_per_instruction" or any(mode.cycles is None for mode in modes)
        ),
        modes=tuple(device.mode(mode.name, one) for mode, one in zip(modes, known, strict=True)),
        levers=_levers(device, modes, known),
        notes=_notes(device, known[0]),
    )


@dataclass(frozen=True)
class Besides:
    """What a device draws from its cell besides inferences.

    Attributes:
        sleep_ua: microamperes, all the time.
        period_uc: microcoulombs of each period: a wake-up, and what the application does for it.
    """

    sleep_ua: float
    period_uc: float


def besides(energy: Energy | None, duty: Duty) -> Besides:
    """What a device draws besides inferences; nothing where the target has no constants."""
    if energy is None:
        return Besides(0.0, 0.0)
    device = _Device(energy, duty)
    scale = device.of_cell(energy.linear)
    return Besides(device.sleep.value, sum(each.value for each in device.beside) * scale)


def mean_ua(energy: Energy | None, duty: Duty, instructions: int | None, cycles: int | None) -> float | None:
    """Microamperes that a device draws from its cell on an average while it runs in one mode; None as for `drawn`."""
    one = drawn(energy, instructions, cycles, duty.clock_mhz)
    return None if energy is None or one is None else _Device(energy, duty).mean(one).all


@dataclass(frozen=True)
class _Device:
    energy: Energy
    duty: Duty

    @property
    def sleep(self) -> Constant:
        if self.duty.sleep_ua is not None:
            return Constant(self.duty.sleep_ua, 0.3 * self.duty.sleep_ua, "[governor] sleep_ua of the recipe")
        return self.energy.sleep_ua or _NO_SLEEP

    @property
    def constants(self) -> dict[str, Constant]:
        return {**self.energy.constants, "sleep_ua": self.sleep}

    @property
    def beside(self) -> tuple[Constant, Constant]:
        """Charges of a period besides the inference, from the supply."""
        return self.energy.wake_uc or _NOTHING, self.energy.application_uc or _NOTHING

    def of_cell(self, linear: bool) -> float:
        """The cell's charge for one of the supply's."""
        return 1.0 if linear else self.energy.supply_mv.value / self.duty.millivolts

    def period_s(self, one: Drawn) -> float:
        """From one inference to the next, which is no shorter than an inference."""
        return max(DAY_S / self.duty.inferences_a_day, one.seconds)

    def mean(self, one: Drawn) -> _Mean:
        """The mean current from the cell while inferences take so much."""
        period, sleep, scale = self.period_s(one), self.sleep, self.of_cell(one.linear)
        inference = one.from_cell_uc(self.duty.millivolts) / period
        rest = sleep.value + sum(each.value for each in self.beside) * scale / period
        errors = [one.error * inference, sleep.plus_minus, *(each.plus_minus * scale / period for each in self.beside)]
        return _Mean(inference, rest, math.hypot(*errors))

    def life(self, mean: _Mean) -> Quantity:
        """Days of a full cell."""
        days = self.duty.capacity_mah * 3.6e6 / DAY_S
        least = max(mean.all - mean.error, mean.all / 10)
        return Quantity.between(days / mean.all, days / (mean.all + mean.error), days / least)

    def mode(self, name: str, one: Drawn) -> ModeEnergy:
        mean, period = self.mean(one), self.period_s(one)
        of_period = mean.all * period
        return ModeEnergy(
            name=name,
            milliseconds=Quantity.of(1000 * one.seconds, one.seconds_error),
            inference_uc=Quantity.of(one.microcoulombs, one.error),
            inference_uj=Quantity.of(one.microjoules, one.error),
            period_uc=_of(of_period, mean),
            period_uj=_of(of_period * self.duty.millivolts / 1000, mean),
            sleep_share=round(mean.rest / mean.all, 3),
            life_days=self.life(mean),
        )


def _of(value: float, mean: _Mean) -> Quantity:
    return Quantity.of(value, mean.error / mean.all)


def _kind(energy: Energy) -> EnergyKind:
    of_cycle = (energy.cycle_pc if energy.linear else energy.cycle_pj) or energy.active_mw
    measured = of_cycle is not None and of_cycle.measured_on is not None
    return "measured" if measured and energy.wait_factor.measured_on is not None else "modelled"


def _used(name: str, constant: Constant) -> UsedConstant:
    kind: EnergyKind = "modelled" if constant.measured_on is None else "measured"
    return UsedConstant(
        name, constant.value, constant.plus_minus, constant.source, kind, constant.measured_on, constant.trace
    )


def _levers(device: _Device, modes: Sequence[Counted], known: Sequence[Drawn]) -> tuple[Lever, ...]:
    """Each thing that can be changed, alone, in the most expensive mode."""
    duty, top, cheapest = device.duty, known[0], min(range(len(known)), key=lambda i: known[i].microcoulombs)
    today = device.mean(top)

    def lever(name: str, setting: str, with_it: _Mean, without: _Mean, in_use: bool = False) -> Lever:
        saves = round(1 - with_it.all / without.all, 3)
        return Lever(name, setting, in_use, _of(with_it.all * DAY_S / 1e6, with_it), device.life(with_it), saves)

    def other(**changed: float) -> _Mean:
        return replace(device, duty=replace(duty, **changed)).mean(top)  # type: ignore[arg-type]

    found = [lever("mode", f"{modes[cheapest].name} throughout", device.mean(known[cheapest]), today)]
    if duty.events_per_hour:
        periodic = other(events_per_hour=0)
        found.append(lever("events", f"{duty.events_per_hour:g} an hour", today, periodic, in_use=True))
    else:
        found.append(
            lever("period", f"{2 * duty.period_s:g} s, twice as long", other(period_s=2 * duty.period_s), today)
        )
        found.append(lever("events", f"if there were {_EVENTS:g} an hour", other(events_per_hour=_EVENTS), today))
    if duty.quiet_hours:
        awake = other(quiet_hours=0)
        found.append(lever("quiet hours", f"{duty.quiet_hours:g} of a day", today, awake, in_use=True))
    else:
        found.append(lever("quiet hours", f"{_QUIET:g} of a day", other(quiet_hours=_QUIET), today))
    if device.energy.fixed_ua is not None:
        own = device.energy.clock_mhz.value
        if duty.clock_mhz is not None:
            mode = modes[0]
            plain = drawn(device.energy, mode.instructions, mode.cycles)
            assert plain is not None
            found.append(lever("clock", f"{duty.clock_mhz:g} MHz, not {own:g}", today, device.mean(plain), True))
        else:
            half = drawn(device.energy, modes[0].instructions, modes[0].cycles, own / 2)
            assert half is not None
            found.append(lever("clock", f"{own / 2:g} MHz, half of it", device.mean(half), today))
    asleep = _Mean(today.inference, today.rest - device.sleep.value / 2, today.error)
    found.append(lever("sleep", f"{device.sleep.value / 2:g} µA, half of it", asleep, today))
    return tuple(sorted(found, key=lambda one: -one.saves))


def _notes(device: _Device, top: Drawn) -> tuple[str, ...]:
    energy, duty = device.energy, device.duty
    found = ["a cell's self-discharge, its sag and the cold are not counted"]
    if device.period_s(top) > DAY_S / duty.inferences_a_day:
        found.append("the most expensive mode takes longer than the period: it runs without a pause")
    if energy.linear and abs(duty.millivolts - energy.supply_mv.value) > 1:
        found.append(
            f"behind a linear regulator the cell gives the same charge at its {duty.millivolts / 1000:g} V as the "
            f"supply of {energy.supply_mv.value / 1000:g} V does, so that its energy is another one"
        )
    if duty.clock_mhz is not None and energy.fixed_ua is None:
        found.append(
            f"a cycle at {duty.clock_mhz:g} MHz is taken to cost what it does at {energy.clock_mhz.value:g} MHz: there "
            "is no fixed_ua; dimmer measure --clock-mhz tells it from a trace at another clock"
        )
    if energy.fixed_ua is None and duty.clock_mhz is None:
        found.append(
            "what another clock saves is not known: there is no fixed_ua; dimmer measure --clock-mhz tells it from a "
            "trace at another clock"
        )
    return tuple(found)
