"""Accuracy against cost of gates and static modes, as lines of a plot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dimmer.pipeline.core.errors import DimmerError

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
