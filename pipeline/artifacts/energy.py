# SPDX-License-Identifier: Apache-2.0
"""What the report tells of energy: figures with no more digits than they deserve, and the constants they are from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

EnergyKind = Literal["modelled", "measured"]
"""Measured: charge or energy of a cycle and the wait factor are both from a trace of the user's board."""


@dataclass(frozen=True)
class Quantity:
    """A figure with its uncertainty, rounded to what that deserves.

    Attributes:
        value: rounded where its uncertainty begins.
        low: a standard uncertainty less: about two times in three the truth is not outside.
        high: a standard uncertainty more.
    """

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, value: float, relative: float) -> Quantity:
        """A value with its uncertainty as a share of it.

        Examples:
            >>> Quantity.of(2412.3, 0.12)
            Quantity(value=2400, low=2100, high=2700)
        """
        around = abs(value) * relative
        return cls.between(value, max(value - around, 0.0), value + around)

    @classmethod
    def between(cls, value: float, low: float, high: float) -> Quantity:
        """A value between two others."""
        digits = _digits(max(high - low, 0.0) / 2, value)
        return cls(*(_rounded(each, digits) for each in (value, low, high)))

    @property
    def plus_minus(self) -> float:
        """Half of what lies between low and high."""
        return (self.high - self.low) / 2

    def parts(self, divisor: float = 1.0) -> tuple[str, str]:
        """For people, with as many decimals as are known: the value, and its interval, which is empty for none.

        Args:
            divisor: what the figures are divided by, a power of ten.

        Examples:
            >>> Quantity.of(5000.0, 0.15).parts(1000)
            ('5.0', '4.2 to 5.8')
        """
        least = min((abs(each) for each in (self.high - self.value, self.value - self.low) if each), default=0.0)
        steps = _decimals(self.value, self.low, self.high)
        # An interval of hundreds of what is then divided by thousands has a place behind the point.
        places = max(steps + math.floor(math.log10(divisor) + 0.5) - _zeros(self.value, self.low, self.high), 0)
        value, low, high = (f"{each / divisor:,.{places}f}" for each in (self.value, self.low, self.high))
        return value, f"{low} to {high}" if least else ""

    def text(self, unit: str = "", divisor: float = 1.0) -> str:
        """In a line: the value, its interval, the unit.

        Examples:
            >>> Quantity.of(2412.3, 0.12).text("µJ")
            '2,400 (2,100 to 2,700) µJ'
        """
        value, between = self.parts(divisor)
        shown = f"{value} ({between})" if between else value
        return f"{shown} {unit}" if unit else shown


def _decimals(*values: float) -> int:
    """Places behind the point that any of them has."""
    return max(len(f"{value:.12f}".rstrip("0").partition(".")[2]) for value in values)


def _zeros(*values: float) -> int:
    """Zeros before the point in which all of them end."""
    if any(value != int(value) for value in values):
        return 0
    whole = [str(int(value)) for value in values if value]
    return min((len(one) - len(one.rstrip("0")) for one in whole), default=0)


def _digits(plus_minus: float, value: float) -> int:
    """Decimals to round to: the place of the uncertainty's first digit, one more behind a 1; three digits without."""
    if plus_minus <= 0:
        return 0 if value == 0 else 2 - math.floor(math.log10(abs(value)))
    place = math.floor(math.log10(plus_minus))
    return -place + (1 if plus_minus / 10.0**place < 2 else 0)


def _rounded(value: float, digits: int) -> float:
    rounded = round(value, digits)
    return int(rounded) if digits <= 0 else rounded


@dataclass(frozen=True)
class UsedConstant:
    """A constant that the figures are from.

    Attributes:
        name: of its table under [energy] in target.toml, which ends in its unit.
        plus_minus: its uncertainty, in the same unit.
        kind: "measured" where it is from a trace of the user's board.
        date: of that measurement, YYYY-MM-DD; None for others.
        trace: the file with the trace; None for others.
    """

    name: str
    value: float
    plus_minus: float
    source: str
    kind: EnergyKind
    date: str | None = None
    trace: str | None = None


@dataclass(frozen=True)
class ModeEnergy:
    """What a mode takes.

    Attributes:
        name: of the mode.
        milliseconds: of an inference.
        inference_uc: microcoulombs that an inference takes from the board's supply.
        inference_uj: microjoules that it takes there.
        period_uc: microcoulombs from the cell for an inference and all until the next: wake-up, application, sleep.
        period_uj: microjoules from the cell for the same.
        sleep_share: of what a period takes, what is not the inference, 0..1.
        life_days: of a full cell in this mode alone.
    """

    name: str
    milliseconds: Quantity
    inference_uc: Quantity
    inference_uj: Quantity
    period_uc: Quantity
    period_uj: Quantity
    sleep_share: float
    life_days: Quantity


@dataclass(frozen=True)
class Lever:
    """What changing one thing saves; everything else as the recipe has it, in the most expensive mode.

    Attributes:
        name: of what is changed: mode, period, clock, quiet hours, events, sleep.
        setting: what it is changed to, or where the recipe has it already, what it is.
        in_use: whether the recipe has it already; `saves` then compares with doing without.
        coulombs_a_day: with it.
        life_days: of a full cell with it.
        saves: share of the charge of a day, 0..1; less than 0 where it costs.
    """

    name: str
    setting: str
    in_use: bool
    coulombs_a_day: Quantity
    life_days: Quantity
    saves: float


@dataclass(frozen=True)
class EnergyFigures:
    """Energy of a build, with everything that it is from.

    Attributes:
        kind: "modelled", or "measured" where the user's own trace gave what a cycle takes and the wait factor.
        board: whose constants these are; the target's own where None.
        regulator: "linear": a cycle takes a charge; "switched": an energy.
        supply_mv: of the board, where its constants were measured.
        clock_mhz: of the core while it infers.
        cell_mah: of the full cell.
        cell_mv: of the cell, on an average.
        period_s: from one inference to the next, on an average of the day.
        coulombs_a_day: in the most expensive mode.
        constants: that the figures are from.
        modes: as in the report's list of modes.
        levers: what else saves charge.
        notes: what to know of the figures.
    """

    kind: EnergyKind
    board: str | None
    regulator: str
    supply_mv: float
    clock_mhz: float
    cell_mah: float
    cell_mv: float
    period_s: float
    coulombs_a_day: Quantity
    constants: tuple[UsedConstant, ...]
    modes: tuple[ModeEnergy, ...]
    levers: tuple[Lever, ...]
    notes: tuple[str, ...] = ()
