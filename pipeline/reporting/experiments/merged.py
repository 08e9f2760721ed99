# SPDX-License-Identifier: Apache-2.0
"""Pooling the runs of a table that were made elsewhere, finished or begun."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.training_record import STATE
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.reporting.experiments.begun import epochs_of, take_over
from dimmer.pipeline.reporting.experiments.record import RUN, RunRecord, read_run
from dimmer.pipeline.reporting.experiments.results import load_results
from dimmer.pipeline.reporting.experiments.runs import Run


@dataclass(frozen=True)
class Merged:
    """What `merge` found.

    Attributes:
        taken: finished runs that were missing here.
        begun: trainings that go on here behind the epochs that they have there, for people.
        other: runs of other settings or other data, for people.
    """

    taken: int
    begun: tuple[str, ...]
    other: tuple[str, ...]

    def __str__(self) -> str:
        parts = [f"{self.taken} runs taken over"]
        parts += [f"begun, and gone on with here: {'; '.join(self.begun)}"] if self.begun else []
        parts += [f"of other settings or data, left out: {'; '.join(self.other)}"] if self.other else []
        return "; ".join(parts)


def merge(runs: Sequence[Run], source: Path) -> Merged:
    """Takes over the runs that were made elsewhere and are missing here, finished or not.

    Args:
        source: folder of the same table's runs, made with --out or earlier; or its results, as they ship.

    Raises:
        DimmerError: it has none of the table's runs, or is not readable.
    """
    taken, begun, other, any_here = 0, [], [], False
    shipped = _records(source) if source.is_file() else None
    for run in runs:
        there = source / run.folder.relative_to(run.folder.parents[1])
        record = read_run(there / RUN) if shipped is None else shipped.get((run.arm.name, run.seed))
        is_other = record is not None and not run.made(record)
        # Beside a record of other settings there may be what was begun with these.
        states = sorted(there.glob(f"*/{STATE}")) if record is None or is_other else []
        any_here = any_here or record is not None or bool(states)
        if is_other and not any(epochs_of(state, run.known_by) for state in states):
            other.append(str(run))
            continue
        if record is not None and not is_other and _tells_more(record, run.found()):
            taken += atomic_write(run.folder / RUN, json.dumps(record.to_json(), indent=1) + "\n")
        for state in states if run.found() is None else ():
            if epochs_of(state, run.known_by) is None:
                other.append(str(run))
            elif epochs := take_over(state, run.folder / state.parent.name / STATE, run.known_by):
                begun.append(f"{run}, {epochs} epochs")
    if not any_here:
        raise DimmerError(f"{source} has no runs of this table: <arm>/seed-<n>/{RUN}; name the folder given to --out")
    return Merged(taken, tuple(begun), tuple(other))


def _tells_more(record: RunRecord, here: RunRecord | None) -> bool:
    """Whether a record has something that is missing here: all, or predictions that results left out."""
    if here is None:
        return True
    return any(net.right and (name not in here.nets or not here.nets[name].right) for name, net in record.nets.items())


def _records(results: Path) -> Mapping[tuple[str, int], RunRecord]:
    """Arm and seed -> run. Results have which test images are right only of the networks that they compare."""
    return {(arm.name, run.seed): run for arm in load_results(results).arms for run in arm.runs}
