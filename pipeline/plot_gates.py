"""Accuracy against cost of gates, of static modes and of one width for the whole network, as SVG.

python -m pipeline.plot_gates docs/gates.svg build/cifar10-r14/gates/history.json other/history.json

Each `history.json` of a training of gates is a line of its own; static modes come from the first. Of several trainings
with the same options, the mean of each budget is drawn.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from dimmer.pipeline import report_plots
from dimmer.pipeline.core.command import main_of
from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.core.stage import atomic_write

Points = list[tuple[float, float]]


def lines_of(histories: Sequence[Path]) -> dict[str, Points]:
    """Name -> [(cost, percent of the test images)].

    Raises:
        DimmerError: a file is missing or no history of gates.
    """
    records: list[dict[str, Any]] = []
    for path in histories:
        try:
            record = json.loads(path.read_text())
            record["budgets"], record["uniform"], record["skipping"], record["gates"]["options"]
        except (OSError, ValueError, KeyError) as error:
            raise DimmerError(f"{path} is no history of gates ({error}); train them first") from error
        records.append(record)
    lines: dict[str, Points] = {}
    groups: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        options = ", ".join(map(str, record["gates"]["options"]))
        groups.setdefault(f"gates, {{{options}}}", []).append(record)
    for name, group in groups.items():
        seeds = f", mean of {len(group)} seeds" if len(group) > 1 else ""
        lines[name + seeds] = [_mean([line["test"] for line in same]) for same in _by_budget(group)]
    first = records[0]
    lines["best static mode"] = sorted({(s["cost"], s["test"]) for s in (line["static"] for line in first["budgets"])})
    full = [(line["cost"], line["test"]) for line in first["uniform"][::2]]
    base = [(line["cost"], line["test"]) for line in first["uniform"][1::2]]
    if len(full) > 1:
        lines["super-net, one width"] = full
    if len(base) > 1:
        lines["base-net, one width"] = base
    lines["skipping alone, 8 bits"] = [(line["cost"], line["test"]) for line in first["skipping"]]
    return lines


def _by_budget(group: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    return [list(same) for same in zip(*(record["budgets"] for record in group), strict=True)]


def _mean(found: Sequence[dict[str, Any]]) -> tuple[float, float]:
    count = len(found)
    return sum(f["cost"] for f in found) / count, sum(f["accuracy"] for f in found) / count


def main(
    svg: Annotated[Path, typer.Argument(help="The picture to write.")],
    histories: Annotated[list[Path], typer.Argument(help="history.json of one or more trainings of gates.")],
) -> None:
    """Draw accuracy against cost of gates and of static modes."""
    lines = lines_of(histories)
    picture = report_plots.curves(lines, "cost, of the 8-bit super-net", "accuracy on the test set")
    atomic_write(svg, report_plots.standalone(picture, len(lines)))
    print(svg)


if __name__ == "__main__":
    main_of(main)
