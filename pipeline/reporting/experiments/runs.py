# SPDX-License-Identifier: Apache-2.0
"""The runs of a table: which there are, doing those that are missing side by side, pooling those made elsewhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from dimmer import children, processes
from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.training_record import RunId
from dimmer.pipeline.core.closure import ROOT
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import Json, atomic_write
from dimmer.pipeline.data.registry import hash_of_all
from dimmer.pipeline.reporting.experiments.record import RUN, RunRecord, read_run
from dimmer.pipeline.reporting.experiments.table import Arm, Table
from dimmer.pipeline.reporting.experiments.worker import PROGRESS, Order, write_order

_LOOK_S = 0.5


@dataclass(frozen=True)
class Run:
    """An arm with a seed.

    Attributes:
        arm: of the table.
        seed: of the table.
        folder: where it is trained.
        known_by: what its training is known by, data included.
    """

    arm: Arm
    seed: int
    folder: Path
    known_by: RunId

    def __str__(self) -> str:
        return f"{self.arm.name}, seed {self.seed}"

    def found(self) -> RunRecord | None:
        """Its record; None where it is missing or of other settings.

        Raises:
            DimmerError: the file is no record.
        """
        record = read_run(self.folder / RUN)
        return record if record is not None and self.made(record) else None

    def made(self, record: RunRecord) -> bool:
        """Whether a record is this run's."""
        return record.run == self.known_by and record.after == self.arm.after


def trainings_of(table: Table) -> Mapping[tuple[str, int], str]:
    """Arm and seed -> the hash of the sections that its training depends on (`RunId.training`)."""
    from dimmer.pipeline.training.settings import TrainingSettings, override

    return {
        (arm.name, seed): TrainingSettings.of(override(arm.recipe, seed), arm.alone).run_id().training
        for arm in table.arms
        for seed in table.seeds
    }


def runs_of(table: Table, out: Path, arms: Collection[str] = (), seeds: Collection[int] = ()) -> tuple[Run, ...]:
    """The runs in the order in which they are done: the first seed of every arm, then the second.

    Args:
        out: folder of the table's runs.
        arms: only these.
        seeds: only these.

    Raises:
        DimmerError: the table has no such arm or seed, or the data is nowhere to be had.
    """
    from dimmer.pipeline.training.settings import TrainingSettings, override

    wanted = [table.arm(name) for name in arms] or list(table.arms)
    for seed in seeds:
        if seed not in table.seeds:
            raise DimmerError(f"table {table.name} has no seed {seed}; it has {', '.join(map(str, table.seeds))}")
    data = {source: hash_of_all(source) for source in dict.fromkeys(arm.recipe.source for arm in wanted)}

    def run(arm: Arm, seed: int) -> Run:
        settings = TrainingSettings.of(override(arm.recipe, seed), arm.alone)
        known_by = settings.run_id(data[arm.recipe.source])
        return Run(arm, seed, out / arm.name / f"seed-{seed}", known_by)

    return tuple(run(arm, seed) for seed in table.seeds if not seeds or seed in seeds for arm in wanted)


def do_runs(
    table: Table, runs: Sequence[Run], *, jobs: int, device: str, threads: int, progress: Progress
) -> Mapping[str, str]:
    """Does the runs that are missing, each in a process of its own.

    Args:
        jobs: how many at a time.
        device: torch device of all.
        threads: of each.
        progress: of all runs together; those that were done before count.

    Returns:
        Run -> why it failed; the others are done all the same.
    """
    shares = {str(run): float(run.found() is not None) for run in runs}
    texts: dict[str, str] = {}
    failed: dict[str, str] = {}

    def look(waiting: Mapping[Future[str | None], tuple[Run, Path]]) -> None:
        for future, (run, folder) in waiting.items():
            if not future.done() and (folder / PROGRESS).is_file():
                texts[str(run)], shares[str(run)] = json.loads((folder / PROGRESS).read_text())
        done = sum(share >= 1 for share in shares.values()) - len(failed)
        now = "; ".join(f"{name}: {text}" for name, text in texts.items())
        progress(f"{max(done, 0)} of {len(runs)} runs done; {now}", sum(shares.values()) / max(len(runs), 1))

    missing = [run for run in runs if not shares[str(run)]]
    with children.scratch() as work, ThreadPoolExecutor(jobs) as pool:
        waiting: dict[Future[str | None], tuple[Run, Path]] = {}
        for number, run in enumerate(missing):
            folder = work / str(number)
            folder.mkdir()
            order = Order(
                str(table.path.with_name("recipe.toml")),
                table.name,
                run.arm.name,
                run.seed,
                str(run.folder.absolute()),
                device,
                threads,
                str(Path.cwd()),
            )
            write_order(folder, order)
            waiting[pool.submit(_do, folder)] = (run, folder)
        try:
            while waiting:
                ended, _ = wait(waiting, _LOOK_S, FIRST_COMPLETED)
                look(waiting)
                for future in ended:
                    run, _folder = waiting.pop(future)
                    texts.pop(str(run), None)
                    shares[str(run)] = 1.0
                    if why := future.result():
                        failed[str(run)] = why
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            children.stop()
            raise
    look({})
    return failed


def do_runs_together(
    table: Table, runs: Sequence[Run], *, jobs: int, device: str, threads: int, progress: Progress
) -> Mapping[str, str]:
    """As `do_runs`, shared out among the processes of `torchrun`.

    A run is always the same process's, be it finished or not, so that it goes on where that one left it on a disk of
    its own; one that begins with another arm's network is with that. The first process writes the records of all.

    Args:
        jobs: how many runs a process does at a time.
    """
    dealt: dict[str, int] = {}
    for number, run in enumerate(runs):
        dealt[str(run)] = dealt.get(f"{run.arm.after}, seed {run.seed}", number % processes.count())
    done = _pool(runs)
    mine = [run for run in runs if str(run) not in done and dealt[str(run)] == processes.rank()]
    why = do_runs(table, mine, jobs=jobs, device=device, threads=threads, progress=progress)
    failed: dict[str, str] = {}
    for reasons in processes.gathered_late(why):
        failed.update(reasons)
    _pool(runs)
    return failed


def _pool(runs: Sequence[Run]) -> set[str]:
    """The runs that any process has; the first one gets their records."""
    own = {str(run): record.to_json() for run in runs if (record := run.found()) is not None}
    found: dict[str, Json] = {}
    for records in processes.gathered(own):
        found.update(records)
    for run in runs if processes.is_first() else ():
        if str(run) in found and str(run) not in own:
            atomic_write(run.folder / RUN, json.dumps(found[str(run)], indent=1) + "\n")
    return set(found)


def _do(folder: Path) -> str | None:
    """Runs a worker; why it failed, or None. The thread that starts a worker waits for it: they end together."""
    command = [sys.executable, "-m", "dimmer.pipeline.reporting.experiments.worker", str(folder)]
    done = children.run(command, cwd=ROOT)
    if not done.returncode:
        return None
    reason = folder / children.REASON
    said = done.stderr.strip().splitlines() if done.returncode >= 0 else []
    told = f"it {children.how_it_ended(done.returncode)}" + (f": {said[-1]}" if said else "")
    return reason.read_text() if reason.is_file() else told
