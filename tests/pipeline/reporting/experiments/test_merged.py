# SPDX-License-Identifier: Apache-2.0
"""Runs of elsewhere are pooled where they are the same trainings; what was begun goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.training_record import STATE
from dimmer.pipeline.reporting.experiments.begun import epochs_of
from dimmer.pipeline.reporting.experiments.merged import Merged, merge
from dimmer.pipeline.reporting.experiments.results import results_of
from dimmer.pipeline.reporting.experiments.runs import runs_of
from dimmer.pipeline.reporting.experiments.table import Table
from tests.pipeline.reporting.experiments.small import made_up, other_training, state_of
from tests.pipeline.reporting.experiments.test_runs import write


def test_runs_of_elsewhere_are_pooled_where_they_are_the_same_training(table: Table, tmp_path: Path) -> None:
    every = runs_of(table, tmp_path / "out")
    elsewhere = tmp_path / "elsewhere"
    with pytest.raises(DimmerError, match=r"elsewhere has no runs of this table: <arm>/seed-<n>/run\.json"):
        merge(every, elsewhere)
    write(every[0], made_up(every[0]))
    write(every[0], made_up(every[0]), elsewhere)
    write(every[1], made_up(every[1]), elsewhere)
    write(every[2], made_up(every[2], known_by=other_training(every[2])), elsewhere)
    assert merge(every, elsewhere) == Merged(1, (), ("labels, seed 2",))
    assert [run.found() is not None for run in every] == [True, True, False, False]


def test_trainings_that_were_begun_elsewhere_go_on_here(table: Table, tmp_path: Path) -> None:
    every = runs_of(table, tmp_path / "out")
    elsewhere = tmp_path / "elsewhere"
    for run, known_by, epochs in (
        (every[0], every[0].known_by, 3),
        (every[1], other_training(every[1]), 5),
        (every[2], every[2].known_by, 2),
        (every[3], every[3].known_by, 1),
    ):
        state_of(elsewhere / run.arm.name / f"seed-{run.seed}" / "train", known_by, epochs)
    write(every[2], made_up(every[2]))
    state_of(every[3].folder / "train", every[3].known_by, 4)
    found = merge(every, elsewhere)
    assert found == Merged(0, ("labels, seed 1, 3 epochs",), ("alone-base, seed 1",))
    assert str(found) == (
        "0 runs taken over; begun, and gone on with here: labels, seed 1, 3 epochs; "
        "of other settings or data, left out: alone-base, seed 1"
    )
    assert [epochs_of(run.folder / "train" / STATE, run.known_by) for run in every] == [3, 0, 0, 4]


def test_a_table_goes_on_from_the_results_that_ship(table: Table, tmp_path: Path) -> None:
    first = runs_of(table, tmp_path / "first")
    for run in first[:2]:
        write(run, made_up(run))
    shipped = tmp_path / "depth.json"
    results_of(table, first).save(shipped)
    every = runs_of(table, tmp_path / "out")
    assert merge(every, shipped) == Merged(2, (), ())
    assert [run.found() is not None for run in every] == [True, True, False, False]
    results_of(table, every).save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == shipped.read_bytes()
    shipped.write_text("{}")
    with pytest.raises(DimmerError, match=r"depth\.json"):
        merge(every, shipped)


def test_what_was_begun_beside_a_record_of_other_settings_goes_on(table: Table, tmp_path: Path) -> None:
    """It was left out: 25 epochs of a machine that was gone."""
    every = runs_of(table, tmp_path / "out")
    elsewhere = tmp_path / "elsewhere"
    for run, known_by in ((every[0], every[0].known_by), (every[1], other_training(every[1]))):
        write(run, made_up(run, known_by=other_training(run)), elsewhere)
        state_of(elsewhere / run.arm.name / f"seed-{run.seed}" / "train", known_by, 25)
    assert merge(every, elsewhere) == Merged(0, ("labels, seed 1, 25 epochs",), ("alone-base, seed 1",))
    assert epochs_of(every[0].folder / "train" / STATE, every[0].known_by) == 25
