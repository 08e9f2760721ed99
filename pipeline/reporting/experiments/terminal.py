# SPDX-License-Identifier: Apache-2.0
"""What a table says, on the terminal."""

from __future__ import annotations

from dimmer.pipeline.core.terminal import console
from dimmer.pipeline.reporting.experiments.results import TableResults, spread, verdict


def print_results(results: TableResults) -> None:
    """Arms and comparisons as tables on the terminal."""
    from rich.table import Table

    arms = Table("arm", "super-net", "base-net", "missing", title=f"{results.model}, {results.table}: {results.about}")
    for arm in results.arms:
        nets = [spread([run.nets[net].test for run in arm.runs if net in run.nets]) for net in ("super", "base")]
        arms.add_row(arm.name, *nets, ", ".join(f"seed {seed}" for seed in arm.missing))
    console().print(arms)
    compared = Table("difference", "points", "verdict")
    for one in results.comparisons:
        points = "-" if one.found is None else f"{one.found.mean:+.2f} ({one.found.count})"
        compared.add_row(f"{one.of} - {one.against}", points, verdict(one))
    if results.comparisons:
        console().print(compared)
