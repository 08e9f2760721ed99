# SPDX-License-Identifier: Apache-2.0
"""What each layer takes, for the page: its share, cycles a MAC, and what most of them go to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dimmer.pipeline.artifacts.firmware import Step
from dimmer.pipeline.artifacts.report import ReportData
from dimmer.targets.timing.kinds import GROUPS


@dataclass(frozen=True)
class Part:
    """What a group of instructions takes of a layer, 0..1 of the mode's most expensive layer."""

    group: str
    width: float


@dataclass(frozen=True)
class LayerRow:
    """A line of the table.

    Attributes:
        share: of the mode's cycles, or instructions where there are no cycles, 0..1.
        per_mac: cycles, or instructions, a MAC; None without MACs.
        bound: share of its cycles that its MACs would take one by one with nothing to feed them; an algorithm with
            fewer products may take less. None without cycles or MACs, and where nobody says what the core does.
        mostly: what most of its cycles go to, with the share; empty where they are not modelled.
        parts: of the bar.
    """

    step: Step
    share: float
    per_mac: float | None
    bound: float | None
    mostly: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class ModeLayers:
    """The layers of one mode."""

    mode: str
    rows: tuple[LayerRow, ...]


def cycles_heading(data: ReportData) -> str:
    """How the page's cycles were come by: "measured on RTL", "modelled"; empty where there are none."""
    sources = {mode.cycles_source for mode in data.modes}
    if "rtl" in sources:
        return "measured on RTL"
    if "vela" in sources:
        return "by Vela's estimate"
    return "modelled" if "model" in sources else ""


def layer_tables(data: ReportData) -> tuple[ModeLayers, ...]:
    """The layers of every mode whose steps were counted."""
    tables = []
    for mode in data.modes:
        steps = [step for step in data.steps if step.mode == mode.name]
        costs = [_cost(step) for step in steps]
        if steps and all(costs):
            tables.append(ModeLayers(mode.name, _rows(steps, costs, data.macs_per_cycle)))
    return tuple(tables)


def _cost(step: Step) -> int:
    return step.instructions or 0 if step.cycles is None else step.cycles


def _rows(steps: Sequence[Step], costs: Sequence[int], macs_per_cycle: float | None) -> tuple[LayerRow, ...]:
    whole, largest = sum(costs), max(costs)
    rows = []
    for step, cost in zip(steps, costs, strict=True):
        spent = {group: step.spent[group] for group in GROUPS if group in step.spent}
        most = max(spent, key=lambda group: spent[group], default="")
        parts = tuple(Part(group, cycles / largest) for group, cycles in spent.items()) or (Part("", cost / largest),)
        bound = None
        if macs_per_cycle is not None and step.cycles is not None and step.macs:
            bound = step.macs / macs_per_cycle / step.cycles
        rows.append(
            LayerRow(
                step,
                cost / whole,
                cost / step.macs if step.macs else None,
                bound,
                f"{most} {spent[most] / cost:.0%}" if most else "",
                parts,
            )
        )
    return tuple(rows)
