# SPDX-License-Identifier: Apache-2.0
"""A measured inference and the constants that follow, on the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from dimmer.pipeline.core.command import console
from dimmer.pipeline.energy.measurement.result import Measured, Spread
from dimmer.targets.power.constants import Constant


def show_measured(title: str, measured: Measured, constants: Mapping[str, Constant], own_mhz: float) -> None:
    """Print an inference's figures and the constants as a table, and what a clock among them means.

    Args:
        own_mhz: clock of the target's constants so far.
    """
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("an inference, measured", no_wrap=True)
    for heading in ("mean", "spread"):
        table.add_column(heading, justify="right")

    def row(name: str, spread: Spread, unit: str, scale: float = 1.0) -> None:
        share = spread.deviation / spread.mean if spread.mean else 0.0
        table.add_row(name, f"{spread.mean * scale:,.5g} {unit}", f"{share:.2%}")

    row("time", measured.seconds, "ms", 1000)
    row("charge", measured.microcoulombs, "uC")
    row("energy", measured.microjoules, "uJ")
    if measured.between_ua is not None:
        row("between two", measured.between_ua, "uA")
    for name, constant in constants.items():
        table.add_row(name, f"{constant.value:,g}", f"+-{constant.plus_minus:g}", style="bold")
    console().print(table)
    where = f"{measured.inferences:,} inferences in {measured.stretches:,} stretches"
    console().print(f"{where}, {measured.millivolts / 1000:g} V, {measured.milliamperes:,.4g} mA", highlight=False)
    if (clock := constants.get("clock_mhz")) is not None:
        console().print(_of_another_clock(clock.value, own_mhz), highlight=False, soft_wrap=True)


def _of_another_clock(measured_mhz: float, own_mhz: float) -> str:
    """What it means for reports that the constants so far were of another clock, for people."""
    return (
        f"measured at {measured_mhz:g} MHz: with these constants reports tell time and energy at that clock, not at "
        f"{own_mhz:g} MHz; 'clock_mhz' in [duty] of a recipe asks for another one"
    )
