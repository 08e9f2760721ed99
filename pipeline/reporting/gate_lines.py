# SPDX-License-Identifier: Apache-2.0
"""Accuracy against cost of gates and static modes, as lines of a plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.gate_record import GateRecord, Measured, StaticFigures, load_gate_history

Points = list[tuple[float, float]]
"""(cost, as a fraction of the 8-bit super-net's; percent of the test images)."""


def lines_of(histories: Sequence[Path]) -> dict[str, Points]:
    """Name -> points of a line.

    Raises:
        DimmerError: a file is missing or no history of gates, or gates of a kind were measured at different budgets.
    """
    records = [load_gate_history(path) for path in histories]
    lines: dict[str, Points] = {}
    groups: dict[str, list[GateRecord]] = {}
    for record in records:
        only = f", budget {record.gates.only_budget:g}" if record.gates.only_budget else ""
        groups.setdefault(f"gates, {{{', '.join(map(str, record.gates.options))}}}{only}", []).append(record)
    for name, group in groups.items():
        if len({tuple(line.budget for line in record.budgets) for record in group}) > 1:
            raise DimmerError(f"{name}: measured at different budgets; draw those of the same budgets together")
        seeds = f", mean of {len(group)} seeds" if len(group) > 1 else ""
        same_budget = zip(*(record.budgets for record in group), strict=True)
        lines[name + seeds] = [_mean([line.test for line in same]) for same in same_budget]
    first = records[0]
    lines["best static mode"] = sorted(set(_points([line.static for line in first.budgets])))
    full, base = _points(first.uniform[::2]), _points(first.uniform[1::2])
    if len(full) > 1:
        lines["super-net, one width"] = full
    if len(base) > 1:
        lines["base-net, one width"] = base
    lines["skipping alone, 8 bits"] = _points(first.skipping)
    return lines


def _points(modes: Sequence[StaticFigures]) -> Points:
    return [(mode.cost, mode.test) for mode in modes]


def _mean(found: Sequence[Measured]) -> tuple[float, float]:
    return sum(one.cost for one in found) / len(found), sum(one.accuracy for one in found) / len(found)
