# SPDX-License-Identifier: Apache-2.0
"""docs/claims.md: what the tables beside the recipes say, and what was not run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dimmer.errors import DimmerError
from dimmer.pipeline.modes.mode import FULL_BITS, Mode
from dimmer.pipeline.reporting.experiments.results import (
    FOLDER,
    ArmResults,
    Comparison,
    TableResults,
    compared_runs,
    load_results,
    results_of,
    spread,
    verdict,
)
from dimmer.pipeline.reporting.experiments.runs import trainings_of
from dimmer.pipeline.reporting.experiments.table import FILE, Table, load_tables

HEAD = """\
# Claims, and what was measured of them

Made by `dimmer experiment --claims docs/claims.md` from `models/*/experiments.toml` and the results beside them;
`./nox -s lint` checks that it is what they give. How the tables are run, and what the columns mean, stands in
[experiments](experiments.md). Accuracies are percent of the test images after the last epoch: mean ± standard deviation
(seeds). A run that is missing is named.
"""


def claims_page(models: Path) -> str:
    """The page.

    Args:
        models: folder of the recipes that ship.

    Raises:
        DimmerError: a table or its results are broken, or results are of another table than the file has now.
    """
    lines = [HEAD]
    for path in sorted(models.glob(f"*/{FILE}")):
        lines.append(f"## {path.parent.name}\n")
        for table in load_tables(path.parent):
            lines += _table(table, path.parent / FOLDER / f"{table.name}.json")
    return "\n".join(lines)


def _agree(one: Any, other: Any) -> bool:
    """Whether figures are the same but for their last digits, in which processors differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_agree(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_agree, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return bool(one == other)


def _table(table: Table, path: Path) -> Iterator[str]:
    # Without results it is a table whose runs are all missing.
    found = load_results(path) if path.is_file() else results_of(table, ())
    if path.is_file():
        _check(table, found, path)
    yield f"### {table.name}: {table.about}\n"
    yield f"`{found.command}`; seeds {', '.join(map(str, found.seeds))}.\n"
    yield "| arm | | super-net | base-net | worst pattern between | missing seeds |\n|---|---|---|---|---|---|"
    for arm in found.arms:
        yield f"| `{arm.name}` | {arm.about} | {' | '.join(_cells(arm))} |"
    yield ""
    if found.comparisons:
        yield "| comparison | difference, points | 95 % interval | at least, one-sided | better : worse | verdict |"
        yield "|---|---|---|---|---|---|"
        for comparison in found.comparisons:
            yield f"| `{comparison.of}` - `{comparison.against}` | {' | '.join(_compared(comparison))} |"
        yield ""
    runs = [run for arm in found.arms for run in arm.runs]
    if runs:
        hours = sum(run.seconds for run in runs) / 3600
        devices = ", ".join(sorted({run.device for run in runs}))
        torch = ", ".join(sorted({run.versions.get("torch", "?") for run in runs}))
        yield f"{len(runs)} runs, {hours:.1f} hours of {devices}, torch {torch}.\n"
    else:
        yield "Nothing of this table was run.\n"


def _check(table: Table, found: TableResults, path: Path) -> None:
    asked = [(arm.name, arm.recipe.name, arm.alone, dict(arm.changes), arm.after) for arm in table.arms]
    made = [(arm.name, arm.recipe, arm.alone, dict(arm.changes), arm.after) for arm in found.arms]
    compared = [(str(one), str(other)) for one, other in table.compare]
    if asked != made or table.seeds != found.seeds or compared != [(c.of, c.against) for c in found.comparisons]:
        raise DimmerError(f"{path} is of another table than {table.path} has now; run: {found.command}")
    wanted = trainings_of(table)
    records = {(arm.name, run.seed): run for arm in found.arms for run in arm.runs}
    for (name, seed), record in records.items():
        if record.run.training != wanted[name, seed]:
            now = "than the recipe and the table have now"
            raise DimmerError(f"{path}: {name}, seed {seed}: of another training {now}; run: {found.command}")
    if not _agree([*map(asdict, compared_runs(table, records))], [*map(asdict, found.comparisons)]):
        raise DimmerError(f"{path}: the comparisons are not what its runs give; run: {found.command}")


def _cells(arm: ArmResults) -> tuple[str, str, str, str]:
    def of(name: str) -> str:
        return spread([run.nets[name].test for run in arm.runs if name in run.nets])

    names = {name for run in arm.runs for name in run.nets} - {"super", "base"}
    between = sorted(name for name in names if _at_8_bits(Mode.parse(name)))
    worst = min(between, key=lambda name: _mean([run.nets[name].test for run in arm.runs]), default=None)
    missing = ", ".join(map(str, arm.missing)) or "none"
    return of("super"), of("base"), "-" if worst is None else f"{worst}: {of(worst)}", missing


def _at_8_bits(mode: Mode) -> bool:
    return all(bits in (0, FULL_BITS) for stage in mode.blocks for bits in stage)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _compared(comparison: Comparison) -> tuple[str, str, str, str, str]:
    found = comparison.found
    if found is None:
        return "-", "-", "-", "-", verdict(comparison)
    interval = "-" if found.low is None or found.high is None else f"{found.low:+.2f} to {found.high:+.2f}"
    least = "-" if found.one_sided is None else f"{found.one_sided:+.2f}"
    p = f"{comparison.better} : {comparison.worse}"
    if comparison.p_by_image is not None:
        p += f", p = {comparison.p_by_image:.2g}"
    missing = f"; missing: {', '.join(map(str, comparison.missing))}" if comparison.missing else ""
    return f"{found.mean:+.2f} ({found.count})", interval, least, p, verdict(comparison) + missing
