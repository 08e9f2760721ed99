# SPDX-License-Identifier: Apache-2.0
"""What a table says: accuracies of every arm, and its comparisons with their intervals; a missing run is named."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from dimmer.errors import DimmerError
from dimmer.pipeline.core.documents import parse_document
from dimmer.pipeline.core.stage import Json, atomic_write
from dimmer.pipeline.core.statistics import Differences, differences, mcnemar, sign_flips
from dimmer.pipeline.reporting.experiments.record import NetRecord, RunRecord
from dimmer.pipeline.reporting.experiments.runs import Run
from dimmer.pipeline.reporting.experiments.table import Compared, Table

FOLDER = "experiments"
"""Of the shipped results, beside the recipe."""


@dataclass(frozen=True)
class ArmResults:
    """An arm as it was asked for, and the runs of it that there are.

    Attributes:
        name: in the table.
        about: what is special about it.
        recipe: the name of the model whose recipe it is.
        alone: "super" or "base" for a plain network.
        changes: of the recipe.
        after: name of the arm with whose network it begins; "" where there is none.
        runs: by seed; `right` is kept only for networks that are compared.
        missing: seeds whose runs are missing.
    """

    name: str
    about: str
    recipe: str
    alone: str | None
    changes: Mapping[str, Json]
    runs: tuple[RunRecord, ...]
    missing: tuple[int, ...]
    after: str = ""


@dataclass(frozen=True)
class Comparison:
    """One network's accuracy on the test images minus another's, over the seeds that both have.

    Attributes:
        of: "arm.network".
        against: "arm.network".
        margin: points of "not worse".
        seeds: that both have.
        missing: seeds that one of them lacks.
        values: the difference of each seed, in points.
        found: mean and intervals; None where no seed has both.
        not_worse: whether the mean is over minus the margin with 95 %; None where fewer than two seeds say nothing.
        better: test images that the first alone has right, over all seeds.
        worse: test images that the second alone has right.
        p: of McNemar's test of these two, pooled over the seeds: as if an image were another one in every seed, which
            of several seeds it is not; `p_by_image` is what counts.
        p_by_image: of flipping signs image by image, each image's sum over the seeds (`core.statistics.sign_flips`);
            None where no seed has both.
    """

    of: str
    against: str
    margin: float
    seeds: tuple[int, ...]
    missing: tuple[int, ...]
    values: tuple[float, ...]
    found: Differences | None
    not_worse: bool | None
    better: int
    worse: int
    p: float | None
    p_by_image: float | None = None


@dataclass(frozen=True)
class TableResults:
    """All of a table.

    Attributes:
        table: its name.
        model: whose it is.
        about: what it asks.
        seeds: that it asks for.
        arms: in the table's order.
        comparisons: in the table's order.
        command: that makes the missing runs and this file.
    """

    table: str
    model: str
    about: str
    seeds: tuple[int, ...]
    arms: tuple[ArmResults, ...]
    comparisons: tuple[Comparison, ...]
    command: str

    def missing(self) -> tuple[str, ...]:
        """The runs that are missing, as "arm, seed 2"."""
        return tuple(f"{arm.name}, seed {seed}" for arm in self.arms for seed in arm.missing)

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        found: dict[str, Json] = asdict(self)
        atomic_write(path, json.dumps(found, indent=1) + "\n")


def load_results(path: Path) -> TableResults:
    """Read what `TableResults.save` wrote.

    Raises:
        DimmerError: it is missing or no such file.
    """
    try:
        return parse_document(TableResults, path.read_text())
    except (OSError, ValueError) as error:
        raise DimmerError(
            f"{path} has no results of an experiment ({error}); make it with dimmer experiment"
        ) from error


def results_of(table: Table, runs: Iterable[Run]) -> TableResults:
    """What there is of a table's runs.

    Raises:
        DimmerError: a record is damaged, or a comparison names a network that an arm does not have.
    """
    found = {(run.arm.name, run.seed): run.found() for run in runs}
    compared = {str(one) for pair in table.compare for one in pair}
    arms = []
    for arm in table.arms:
        by_seed = {seed: found.get((arm.name, seed)) for seed in table.seeds}
        kept = tuple(_without_bits(record, compared) for record in by_seed.values() if record is not None)
        missing = tuple(seed for seed, record in by_seed.items() if record is None)
        arms.append(ArmResults(arm.name, arm.about, arm.recipe.name, arm.alone, arm.changes, kept, missing, arm.after))
    comparisons = compared_runs(table, {key: record for key, record in found.items() if record is not None})
    command = f"dimmer experiment {table.model} --table {table.name} --ship"
    return TableResults(table.name, table.model, table.about, table.seeds, tuple(arms), comparisons, command)


def compared_runs(table: Table, records: Mapping[tuple[str, int], RunRecord]) -> tuple[Comparison, ...]:
    """A table's comparisons.

    Args:
        records: arm and seed -> a run that there is.

    Raises:
        DimmerError: as `results_of`.
    """
    return tuple(_compare(table, records, *pair) for pair in table.compare)


def _without_bits(record: RunRecord, compared: set[str]) -> RunRecord:
    def kept(name: str, net: NetRecord) -> NetRecord:
        return net if f"{record.arm}.{name}" in compared else replace(net, right="")

    return replace(record, nets={name: kept(name, net) for name, net in record.nets.items()})


def _compare(table: Table, records: Mapping[tuple[str, int], RunRecord], one: Compared, other: Compared) -> Comparison:
    pairs = [(seed, records.get((one.arm, seed)), records.get((other.arm, seed))) for seed in table.seeds]
    both = [(seed, a, b) for seed, a, b in pairs if a is not None and b is not None]
    values, better, worse, sums = [], 0, 0, np.zeros(0, np.int64)
    for _, a, b in both:
        for record, which in ((a, one), (b, other)):
            if which.net not in record.nets:
                known = ", ".join(record.nets)
                raise DimmerError(f"{table.path}: {table.name}.compare: {which}: {which.arm} has only {known}")
            if not record.nets[which.net].right:
                raise DimmerError(
                    f"{table.path}: {table.name}.compare: {which}: there are no predictions of seed {record.seed}: "
                    "results that ship keep those of what they compared then; --merge the folder of its runs"
                )
        mine, theirs = a.right(one.net), b.right(other.net)
        if len(mine) != len(theirs):
            raise DimmerError(f"{table.path}: {table.name}.compare: {one} and {other} have other test images")
        values.append(a.nets[one.net].test - b.nets[other.net].test)
        better += int((mine > theirs).sum())
        worse += int((theirs > mine).sum())
        gained = (mine - theirs).astype(np.int64)
        if len(sums) not in (0, len(gained)):
            raise DimmerError(f"{table.path}: {table.name}.compare: {one} has other test images from seed to seed")
        sums = sums + gained if len(sums) else gained
    found = differences(values) if values else None
    return Comparison(
        of=str(one),
        against=str(other),
        margin=table.margin,
        seeds=tuple(seed for seed, _, _ in both),
        missing=tuple(seed for seed, a, b in pairs if a is None or b is None),
        values=tuple(round(value, 4) for value in values),
        found=found,
        not_worse=None if found is None else found.not_worse_by(table.margin),
        better=better,
        worse=worse,
        p=mcnemar(better, worse) if both else None,
        p_by_image=sign_flips(sums) if both else None,
    )


def spread(values: Sequence[float]) -> str:
    """Mean and standard deviation for people: "91.20 +- 0.15 (3)"; "-" of nothing."""
    if not values:
        return "-"
    found = differences(values)
    sd = "" if found.sd is None else f" ± {found.sd:.2f}"
    return f"{found.mean:.2f}{sd} ({found.count})"


def verdict(comparison: Comparison) -> str:
    """What a comparison says, in words."""
    if comparison.found is None:
        return "not run"
    if comparison.not_worse is None:
        return "one seed says nothing"
    return f"{'' if comparison.not_worse else 'not shown to be '}not worse by {comparison.margin:g}"
