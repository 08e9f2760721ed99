# SPDX-License-Identifier: Apache-2.0
"""Which runs a table has, how the missing ones are done, and how those from elsewhere are pooled."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from dimmer import processes
from dimmer.errors import DimmerError
from dimmer.pipeline.core.documents import parse_document
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.reporting.experiments import runs
from dimmer.pipeline.reporting.experiments.record import RUN, RunRecord
from dimmer.pipeline.reporting.experiments.runs import Run, do_runs, do_runs_together, runs_of
from dimmer.pipeline.reporting.experiments.table import Table
from dimmer.pipeline.reporting.experiments.worker import ORDER, PROGRESS, Order
from tests.forked import in_processes
from tests.pipeline.reporting.experiments.small import WIDTHS, made_up, other_training, table_in


def write(run: Run, record: RunRecord, out: Path | None = None) -> None:
    folder = run.folder if out is None else out / run.arm.name / f"seed-{run.seed}"
    atomic_write(folder / RUN, json.dumps(record.to_json()))


def test_the_first_seed_of_every_arm_comes_before_the_second(table: Table, tmp_path: Path) -> None:
    every = runs_of(table, tmp_path)
    assert [str(run) for run in every] == [
        "labels, seed 1",
        "alone-base, seed 1",
        "labels, seed 2",
        "alone-base, seed 2",
    ]
    assert len({run.known_by.training for run in every}) == 4
    assert {run.known_by.data for run in every} == {"hash of mnist5k"}
    assert [str(run) for run in runs_of(table, tmp_path, ["labels"], [2])] == ["labels, seed 2"]
    with pytest.raises(DimmerError, match="table depth has no seed 3; it has 1, 2"):
        runs_of(table, tmp_path, (), [3])


def test_missing_runs_are_done_side_by_side_and_a_failure_stops_no_other(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = runs_of(table, tmp_path / "out")
    write(every[0], made_up(every[0]))
    together = threading.Barrier(2, timeout=10)
    orders = []

    def work(folder: Path) -> str | None:
        order = parse_document(Order, (folder / ORDER).read_text())
        orders.append(order)
        if len(orders) <= 2:
            together.wait()
        if order.arm == "labels":
            return "the lamp fell over"
        # Whole or not at all, as a worker writes it: it is looked at meanwhile.
        atomic_write(folder / PROGRESS, '["epoch 1", 0.5]')
        (run,) = (run for run in every if (run.arm.name, run.seed) == (order.arm, order.seed))
        assert order.out == str(run.folder)
        write(run, made_up(run))
        return None

    monkeypatch.setattr(runs, "_do", work)
    told: list[tuple[str, float]] = []
    failed = do_runs(
        table, every, jobs=2, device="cpu", threads=1, progress=lambda text, share: told.append((text, share))
    )
    assert failed == {"labels, seed 2": "the lamp fell over"}
    assert sorted((order.arm, order.seed) for order in orders) == [("alone-base", 1), ("alone-base", 2), ("labels", 2)]
    assert told[-1] == ("3 of 4 runs done; ", 1.0)
    assert [str(run) for run in every if run.found() is None] == ["labels, seed 2"]


def test_records_of_processes_with_another_disk_come_to_the_first_one(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(folder: Path) -> str | None:
        order = parse_document(Order, (folder / ORDER).read_text())
        mine = runs_of(table, Path(order.out).parents[1])
        (run,) = (run for run in mine if (run.arm.name, run.seed) == (order.arm, order.seed))
        write(run, made_up(run))
        return None

    def share() -> list[bool]:
        every = runs_of(table, tmp_path / f"disk-{processes.rank()}")
        assert not do_runs_together(
            table, every, jobs=1, device="cpu", threads=1, progress=lambda text, share: told.append(share)
        )
        assert told == sorted(told)
        return [run.found() is not None for run in every]

    told: list[float] = []
    monkeypatch.setattr(runs, "_do", work)
    assert in_processes(tmp_path, 2, share) == [[True, True, True, True], [False, True, False, True]]


def test_a_run_stays_with_its_process_and_one_that_begins_with_another_arm_s_network_with_that(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record that a process on another disk has already is taken, and not made again."""
    table = table_in(tmp_path, WIDTHS)
    mine = runs_of(table, tmp_path / "disk-1")
    write(mine[4], made_up(mine[4]))

    def do(table: Table, runs: Sequence[Run], **_: object) -> dict[str, str]:
        return {str(run): f"process {processes.rank()}" for run in runs}

    def share() -> tuple[dict[str, str], list[str]]:
        every = runs_of(table, tmp_path / f"disk-{processes.rank()}")
        dealt = do_runs_together(table, every, jobs=1, device="cpu", threads=1, progress=lambda text, share: None)
        return dict(dealt), [str(run) for run in every if run.found() is not None]

    monkeypatch.setattr(runs, "do_runs", do)
    (dealt, first), (same, second) = in_processes(tmp_path, 2, share)
    assert dealt == same
    assert dealt == {
        "labels, seed 1": "process 0",
        "alone-base, seed 1": "process 1",
        "widths, seed 1": "process 0",
        "labels, seed 2": "process 1",
        "widths, seed 2": "process 1",
    }
    assert first == second == ["alone-base, seed 2"]


def test_a_worker_that_fails_says_why_in_a_line(tmp_path: Path) -> None:
    (tmp_path / ORDER).write_text("{}")
    assert "recipe is missing" in (runs._do(tmp_path) or "")


def test_a_run_of_other_settings_is_missing(table: Table, tmp_path: Path) -> None:
    (run, *_) = runs_of(table, tmp_path)
    write(run, made_up(run, known_by=other_training(run)))
    assert run.found() is None
