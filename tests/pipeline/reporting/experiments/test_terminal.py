# SPDX-License-Identifier: Apache-2.0
"""What a table says, on the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.pipeline.reporting.experiments.results import results_of
from dimmer.pipeline.reporting.experiments.runs import runs_of
from dimmer.pipeline.reporting.experiments.table import Table
from dimmer.pipeline.reporting.experiments.terminal import print_results
from tests.pipeline.reporting.experiments.small import made_up
from tests.pipeline.reporting.experiments.test_runs import write


def test_arms_and_comparisons_are_told_with_what_is_missing(
    table: Table, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    every = runs_of(table, tmp_path)
    for run in every[:3]:
        write(run, made_up(run))
    print_results(results_of(table, every))
    said = capsys.readouterr().out
    assert "90.50 ± 0.71 (2)" in said
    assert "seed 2" in said
    assert "one seed says nothing" in said
