# SPDX-License-Identifier: Apache-2.0
"""The view of a device on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dimmer.pipeline.reporting.live.watched import Point, State

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

_BARS = " ▁▂▃▄▅▆▇█"
_COLOURS = ("dark_orange", "cyan", "green", "magenta", "yellow", "blue", "red", "white")
CURVE_WIDTH = 60
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


def span(seconds: float | None) -> str:
    """A time for people.

    Example:
        >>> span(7200), span(3 * 86_400), span(12), span(None)
        ('2.0 h', '3.0 days', '12 s', '-')
    """
    if seconds is None:
        return "-"
    for unit, name in ((_DAY_S, "days"), (_HOUR_S, "h"), (_MINUTE_S, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:,.1f} {name}"
    return f"{seconds:.0f} s"


def facts(state: State) -> list[tuple[str, str]]:
    """Names and values, in the order in which they are shown."""
    mode = "-" if state.mode is None else state.mode if state.running else f"left out (last {state.mode})"
    volts = "" if state.millivolts is None else f", {state.millivolts / 1000:.2f} V"
    charge = "-" if state.charge_permille is None else f"{state.charge_permille / 10:.1f} %{volts}"
    latency = "-" if state.latency_ms is None else f"{state.latency_ms:,.3g} ms"
    left = f"{state.left_out:,} left out" if state.left_out else ""
    shares = ", ".join(f"{one.mode} {one.inferences:,}" for one in state.modes)
    found = [
        ("mode", mode),
        ("charge", charge),
        ("predicted end", span(state.left_s) + (f", by {state.left_by}" if state.left_by else "")),
        ("latency", latency + (", modelled" if state.latency_modelled else "")),
        ("inferences", ", ".join(filter(None, (f"{state.inferences:,}", left, shares)))),
        ("predictions", " ".join(str(one.predicted) for one in state.predictions) or "-"),
    ]
    if state.message:
        found.append(("says", state.message))
    if state.unreadable:
        found.append(("unreadable", f"{state.unreadable:,} lines"))
    return found


def line_of(state: State) -> str:
    """The state in a line of a log."""
    return "  ".join(f"{name} {value}" for name, value in facts(state)[:4]) + f"  at {state.time_s:,.0f} s"


def view(state: State) -> RenderableType:
    """The state as a panel."""
    from rich.console import Group
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, value in facts(state):
        table.add_row(name, Text(value, style="bold" if name == "mode" else ""))
    title = f"{state.source}{', over' if state.over else ''}"
    return Panel(Group(table, Text(), sparkline(state.points)), title=Text(title), title_align="left", expand=False)


def sparkline(points: Sequence[Point], width: int = CURVE_WIDTH) -> Text:
    """The charge over time, coloured by modes, which are named beside it."""
    from rich.text import Text

    text = Text()
    if not points:
        return text
    modes = sorted({point.mode for point in points if point.mode is not None}, reverse=True)
    colours = {mode: _COLOURS[number % len(_COLOURS)] for number, mode in enumerate(modes)}
    start, end = points[0].time_s, points[-1].time_s
    cells: list[Point | None] = [None] * width
    for point in points:
        cells[round((width - 1) * (point.time_s - start) / (end - start)) if end > start else 0] = point
    last = points[0]
    for cell in cells:
        last = cell or last
        bar = _BARS[max(1, round(8 * last.charge_permille / 1000)) if last.charge_permille else 0]
        text.append(bar, style=colours.get(last.mode or "", "dim"))
    for mode in modes:
        text.append(f"  {mode}", style=colours[mode])
    return text
