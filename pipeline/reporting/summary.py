# SPDX-License-Identifier: Apache-2.0
"""The end of a build on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.artifacts.cycles import cycles_lines, cycles_text
from dimmer.pipeline.artifacts.report import ReportData
from dimmer.pipeline.core.stage import StageResult
from dimmer.pipeline.reporting.energy_lines import days_line, energy_line, energy_text
from dimmer.pipeline.reporting.page import cards, count_text, verified_text
from dimmer.targets.timing.run import guess_of

if TYPE_CHECKING:
    from rich.console import Console


def print_build(context: BuildContext, data: ReportData, stages: Sequence[StageResult], console: Console) -> None:
    """The stages, the modes, and where everything lies."""
    from rich.text import Text

    print_stages(stages, console)
    print_summary(data, console)
    made = "firmware.elf" if context.target.engine != "tvm" else f"bundle/{context.build_dir.name}"
    line = Text.assemble((str(context.target_dir), "bold"), f": {made}, report.html, report.json")
    console.print(line, highlight=False, soft_wrap=True)


def print_stages(stages: Sequence[StageResult], console: Console) -> None:
    """The stages, how long each took now, and which had nothing to do."""
    from rich.table import Table

    table = Table(title="Stages", title_justify="left", title_style="bold")
    table.add_column("stage")
    table.add_column("seconds", justify="right")
    table.add_column("")
    for stage in stages:
        table.add_row(stage.name, f"{stage.seconds:,.1f}", "unchanged" if stage.cached else "done")
    table.add_row("total", f"{sum(stage.seconds for stage in stages):,.1f}", "", style="bold")
    console.print(table)


def print_summary(data: ReportData, console: Console) -> None:
    """The modes and what they cost, as a table on the terminal."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"{data.model} on {data.target}", title_justify="left", title_style="bold")
    table.add_column("mode", no_wrap=True)
    for heading in ("accuracy", "MACs", "instructions", "cycles", "energy", "verified"):
        table.add_column(heading, justify="right")
    for mode in data.modes:
        table.add_row(
            mode.name,
            "-" if mode.accuracy is None else f"{mode.accuracy:.2%}",
            f"{mode.macs:,}",
            count_text(mode.instructions),
            cycles_text(mode),
            energy_text(mode, data.energy),
            verified_text(mode.verify),
        )
    console.print(table)
    for line in cycles_lines(data.modes, guess_of(data.target)):
        console.print(line, highlight=False, soft_wrap=True)
    if data.energy is not None:
        for line in (energy_line(data.energy), days_line(data.energy)):
            console.print(line, highlight=False, soft_wrap=True)
    if note := data.notes.get("training"):
        console.print(Text.assemble(("training", "yellow"), f": {note}"), highlight=False, soft_wrap=True)
    for card in cards(data):
        console.print(Text.assemble(f"{card.title:<14} {card.figure}  ", (card.detail, "dim")), highlight=False)
