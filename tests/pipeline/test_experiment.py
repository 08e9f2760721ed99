# SPDX-License-Identifier: Apache-2.0
"""The command: runs, results beside the recipe, the page of claims."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import experiment
from dimmer.pipeline.reporting.experiments import runs
from dimmer.pipeline.reporting.experiments.results import load_results
from dimmer.pipeline.reporting.experiments.runs import runs_of
from dimmer.pipeline.reporting.experiments.table import load_table
from tests.pipeline.reporting.experiments.small import made_up, table_in
from tests.pipeline.reporting.experiments.test_runs import write


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path / "build"))
    monkeypatch.setattr(runs, "dataset_hash", lambda name: f"hash of {name}")
    return table_in(tmp_path).path.parent


def test_runs_are_pooled_told_and_shipped(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere = tmp_path / "elsewhere"
    every = runs_of(load_table(home, None), elsewhere)
    for run in every[:3]:
        write(run, made_up(run))
    experiment.main(str(home), merged=[elsewhere], no_runs=True, ship=True)
    said = capsys.readouterr().out
    assert "elsewhere: 3 runs taken over" in said
    assert "one seed says nothing" in said
    assert "seed 2" in said
    built = tmp_path / "build" / "tiny" / "experiments" / "depth"
    shipped = home / "experiments"
    for name in ("depth.json", "depth.svg"):
        assert (built / name).read_bytes() == (shipped / name).read_bytes()
    assert load_results(shipped / "depth.json").missing() == ("alone-base, seed 2",)


def test_a_run_that_fails_is_told_last(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "_do", lambda folder: "the lamp fell over")
    with pytest.raises(DimmerError, match="1 of the runs failed; labels, seed 1: the lamp fell over"):
        experiment.main(str(home), arm=["labels"], seed=[1], jobs=1)


def test_what_cannot_be_asked_is_told(home: Path) -> None:
    with pytest.raises(DimmerError, match=r"name a model that has experiments\.toml, or --claims FILE"):
        experiment.main()
    with pytest.raises(DimmerError, match="--device is cpu or cuda, not 'lamp'"):
        experiment.main(str(home), device="lamp")


def test_the_page_of_claims_is_written_and_checked(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment, "MODELS", home.parent)
    page = tmp_path / "claims.md"
    with pytest.raises(DimmerError, match=r"claims\.md is not what the results give; write it with"):
        experiment.main(claims=page, check=True)
    experiment.main(claims=page)
    assert "Nothing of this table was run." in page.read_text()
    experiment.main(claims=page, check=True)
