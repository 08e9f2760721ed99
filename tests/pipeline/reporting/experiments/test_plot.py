# SPDX-License-Identifier: Apache-2.0
"""The picture of a table."""

from __future__ import annotations

from pathlib import Path

from dimmer.pipeline.reporting.experiments.plot import plot
from dimmer.pipeline.reporting.experiments.results import results_of
from dimmer.pipeline.reporting.experiments.runs import runs_of
from dimmer.pipeline.reporting.experiments.table import Table
from tests.pipeline.reporting.experiments.small import made_up
from tests.pipeline.reporting.experiments.test_runs import write


def test_what_was_run_is_drawn(table: Table, tmp_path: Path) -> None:
    every = runs_of(table, tmp_path / "out")
    assert plot(results_of(table, every)) is None
    for run in every:
        write(run, made_up(run))
    picture = plot(results_of(table, every))
    assert picture is not None
    assert picture == plot(results_of(table, every)), "the same bytes for the same figures"
    assert "labels.base - alone-base.super" in picture
    assert "var(--" not in picture
