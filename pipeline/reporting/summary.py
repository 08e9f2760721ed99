"""The end of a build on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dimmer.pipeline.artifacts.report import ReportData
from dimmer.pipeline.reporting.page import cards, count_text, verified_text

if TYPE_CHECKING:
    from rich.console import Console


def print_summary(data: ReportData, console: Console) -> None:
    """The modes and what they cost, as a table on the terminal."""
    from rich.table import Table

    table = Table(title=f"{data.model} on {data.target}", title_justify="left", title_style="bold")
    table.add_column("mode", no_wrap=True)
    for heading in ("accuracy", "MACs", "instructions", "energy", "verified"):
        table.add_column(heading, justify="right")
    for mode in data.modes:
        table.add_row(
            mode.name,
            "-" if mode.accuracy is None else f"{mode.accuracy:.2%}",
            f"{mode.macs:,}",
            count_text(mode.instructions),
            "-" if mode.energy_uj is None else f"{mode.energy_uj:,.1f} uJ",
            verified_text(mode.verify),
        )
    console.print(table)
    for card in cards(data):
        console.print(f"{card.title:<14} {card.figure}  [dim]{card.detail}[/dim]", highlight=False)
