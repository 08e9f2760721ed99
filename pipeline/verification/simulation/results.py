# SPDX-License-Identifier: Apache-2.0
"""Results for people and for programs: tables, `results.json`, `results.svg`."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dimmer.pipeline.verification.simulation.bars import Bar
from dimmer.pipeline.verification.simulation.summary import Summary, as_json

if TYPE_CHECKING:
    from rich.table import Table

FORMAT = 1
_HEIGHT, _WIDTH, _TOP = 0.24, 7.2, 0.5


def write_results(folder: Path, summaries: Sequence[Summary], bars: Sequence[Bar], advice: str) -> None:
    """Writes `results.json` and `results.svg`."""
    content = {
        "format": FORMAT,
        "scenarios": [as_json(summary) for summary in summaries],
        "bars": [
            {"scenario": b.scenario, "what": b.what, "value": round(b.value, 6), "least": b.least, "holds": b.holds}
            for b in bars
        ],
        "advice": advice,
    }
    (folder / "results.json").write_text(json.dumps(content, indent=1) + "\n")
    (folder / "results.svg").write_text(picture(summaries))


def table_of(summary: Summary) -> Table:
    """A scenario as a table of the terminal: fixed modes that are neither best nor robust are left to the file."""
    from rich.table import Table

    title = f"{summary.scenario}: {summary.seeds} seeds of {summary.devices:,} devices"
    if not math.isnan(summary.oracle_of_fleet.value):
        title += f"; oracle {summary.oracle_of_fleet.text()}"
        if summary.oracles < summary.seeds * summary.devices:
            title += f", by what it has more of {summary.oracles:,} of them"
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("policy", no_wrap=True)
    for heading in (
        "right, %",
        "over best fixed",
        "over robust fixed",
        "under oracle",
        "survive",
        "5th pct",
        "worst day",
    ):
        table.add_column(heading, justify="right")
    for row in summary.rows:
        if row.policy.startswith("fixed ") and row.policy not in (summary.best_fixed, summary.robust_fixed):
            continue
        marks = " (best)" * (row.policy == summary.best_fixed) + " (robust)" * (row.policy == summary.robust_fixed)
        table.add_row(
            row.policy + marks,
            row.right.text(),
            row.over_fixed.text(sign=True),
            row.over_robust.text(sign=True),
            row.under_oracle.text(sign=True),
            f"{100 * row.survival:.1f} %",
            f"{100 * row.fifth:.1f}",
            f"{100 * row.worst_day:.1f}",
            style="bold" if not row.policy.startswith("fixed ") else None,
        )
    return table


def bars_table(bars: Sequence[Bar]) -> Table:
    """What had to be reached."""
    from rich.table import Table

    table = Table(title="bars", title_justify="left", title_style="bold")
    for heading in ("scenario", "what", "found", "at least", ""):
        table.add_column(heading, justify="right" if heading in ("found", "at least") else "left")
    for bar in bars:
        table.add_row(bar.scenario, bar.what, f"{bar.value:.3f}", f"{bar.least:g}", "holds" if bar.holds else "MISSED")
    return table


def picture(summaries: Sequence[Summary]) -> str:
    """SVG: right answers of each policy over the best fixed mode's, with intervals, scenario by scenario."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    chosen = [(s, [r for r in s.rows if not r.policy.startswith("fixed ")]) for s in summaries]
    heights = [max(len(rows), 1) * _HEIGHT + _TOP for _, rows in chosen]
    with mpl.rc_context({"svg.hashsalt": "dimmer", "font.size": 8}):
        figure, axes = plt.subplots(
            len(chosen), 1, figsize=(_WIDTH, sum(heights)), height_ratios=heights, squeeze=False, layout="constrained"
        )
        for axis, (summary, rows) in zip(axes[:, 0], chosen, strict=True):
            names = [row.policy for row in rows]
            values = [100 * row.over_fixed.value for row in rows]
            errors = [0.0 if math.isnan(row.over_fixed.plus_minus) else 100 * row.over_fixed.plus_minus for row in rows]
            axis.barh(names, values, xerr=errors, color="#d9690f", ecolor="#1f1d1a", height=0.7)
            axis.invert_yaxis()
            axis.axvline(0, color="#1f1d1a", linewidth=0.8)
            axis.set_title(f"{summary.scenario}: points over {summary.best_fixed}", fontsize=8, loc="left")
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
        plt.close(figure)
    return out.getvalue()
