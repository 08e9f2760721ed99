# SPDX-License-Identifier: Apache-2.0
"""Energy as people read it: on the page and on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dimmer.pipeline.artifacts.energy import EnergyFigures, Quantity
from dimmer.pipeline.artifacts.report import ModeFigures, ReportData


@dataclass(frozen=True)
class Shown:
    """A figure as text, with its unit, and its interval, which is empty for none."""

    value: str
    interval: str = ""


@dataclass(frozen=True)
class EnergyRow:
    """A mode's line of the page's table of energy.

    Attributes:
        period: what the cell gives for one; `sleep` is the share of it that is not inference.
        life: days of a full cell in this mode alone.
    """

    name: str
    accuracy: float | None
    cycles: int | None
    milliseconds: Shown
    charge: Shown
    energy: Shown
    period: Shown
    sleep: str
    life: Shown


def scaled(quantity: Quantity, unit: str) -> Shown:
    """A figure of millionths, in thousandths or whole where it is large.

    Examples:
        >>> scaled(Quantity(2400, 2100, 2700), "J")
        Shown(value='2.4 mJ', interval='2.1 to 2.7')
    """
    prefix, divisor = next(
        (one for one in (("", 1e6), ("m", 1e3)) if quantity.value >= one[1]),
        ("µ", 1.0),
    )
    value, between = quantity.parts(divisor)
    return Shown(f"{value} {prefix}{unit}", between)


def energy_rows(data: ReportData) -> list[EnergyRow]:
    """The page's table; empty where no energies are known."""
    if data.energy is None:
        return []
    modes = {mode.name: mode for mode in data.modes}
    return [
        EnergyRow(
            one.name,
            modes[one.name].accuracy,
            modes[one.name].cycles,
            Shown(*one.milliseconds.parts()),
            scaled(one.inference_uc, "C"),
            scaled(one.inference_uj, "J"),
            scaled(one.period_uj, "J"),
            f"{one.sleep_share:.1%}" if one.sleep_share < 0.1 else f"{one.sleep_share:.0%}",
            Shown(*one.life_days.parts()),
        )
        for one in data.energy.modes
        if one.name in modes
    ]


def energy_text(mode: ModeFigures, energy: EnergyFigures | None) -> str:
    """A mode's microjoules in a table of the terminal, rounded to what is known of them."""
    known = microjoules(energy)
    if mode.name in known:
        return f"{known[mode.name]} uJ"
    return "-" if mode.energy_uj is None else f"{mode.energy_uj:,.3g} uJ"


def microjoules(energy: EnergyFigures | None) -> Mapping[str, str]:
    """Mode -> microjoules of an inference, rounded to what is known of them."""
    return {} if energy is None else {one.name: f"{one.inference_uj.value:,}" for one in energy.modes}


def energy_line(energy: EnergyFigures) -> str:
    """What to know of the energies of a table, in a line."""
    top = energy.modes[0].inference_uj
    around = top.plus_minus / top.value if top.value else 0.0
    whose = "the target's constants" if energy.board is None else energy.board
    how = f"{energy.kind}, +-{around:.0%}: {whose} at {energy.supply_mv / 1000:g} V and {energy.clock_mhz:g} MHz"
    return f"energy: {how}, {energy.regulator} regulator (docs/energy.md)"


def days_line(energy: EnergyFigures) -> str:
    """How long the cell lasts in the most and the least expensive mode, and the lever that saves most."""
    first, last = energy.modes[0], energy.modes[-1]
    text = f"{energy.cell_mah:g} mAh, every {energy.period_s:g} s: {first.life_days.text('days')} in {first.name}"
    if last is not first:
        text += f", {last.life_days.text('days')} in {last.name}"
    # Whether events are so rare nobody but the user knows.
    best = next((one for one in energy.levers if not one.in_use and one.name != "events"), None)
    return text if best is None else f"{text}; most saves {best.name}, {best.setting}: {best.saves:.0%}"
