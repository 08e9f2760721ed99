# SPDX-License-Identifier: Apache-2.0
"""The command: runs, results beside the recipe, the page of claims."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest
import torch

from dimmer import processes
from dimmer.errors import DimmerError
from dimmer.pipeline import experiment
from dimmer.pipeline.core.documents import parse_document
from dimmer.pipeline.data import registry
from dimmer.pipeline.reporting.experiments import runs
from dimmer.pipeline.reporting.experiments.results import load_results
from dimmer.pipeline.reporting.experiments.runs import runs_of
from dimmer.pipeline.reporting.experiments.table import load_table
from dimmer.pipeline.reporting.experiments.worker import ORDER, Order
from tests.forked import in_processes
from tests.pipeline.reporting.experiments.small import made_up, table_in
from tests.pipeline.reporting.experiments.test_runs import write


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path / "build"))
    monkeypatch.setattr(registry, "dataset_hash", lambda name: f"hash of {name}")
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


def test_processes_of_torchrun_share_a_table_and_the_first_one_tells(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run fails in one of them: all say so."""
    every = runs_of(load_table(home, None), tmp_path / "out")
    write(every[2], made_up(every[2]))

    def work(folder: Path) -> str | None:
        order = parse_document(Order, (folder / ORDER).read_text())
        (run,) = (run for run in every if (run.arm.name, run.seed) == (order.arm, order.seed))
        assert order.out == str(run.folder)
        if order.arm == "labels":
            return f"the lamp of process {processes.rank()} fell over"
        write(run, made_up(run))
        return None

    def share() -> tuple[str, str, list[str]]:
        said, told = io.StringIO(), ""
        with contextlib.redirect_stdout(said):
            try:
                experiment.main(str(home), out=tmp_path / "out")
            except DimmerError as error:
                told = str(error)
        return said.getvalue(), told, [str(run) for run in every if run.found() is None]

    monkeypatch.setattr(runs, "_do", work)
    first, second = in_processes(tmp_path, 2, share)
    assert "depth.json" in first[0]
    assert second[0] == ""
    assert first[1] == second[1] == "1 of the runs failed; labels, seed 1: the lamp of process 0 fell over"
    assert first[2] == second[2] == ["labels, seed 1"]
    assert load_results(tmp_path / "out" / "depth.json").missing() == ("labels, seed 1",)


def test_what_cannot_be_asked_is_told(home: Path) -> None:
    with pytest.raises(DimmerError, match=r"name a model that has experiments\.toml, or --claims FILE"):
        experiment.main()
    with pytest.raises(DimmerError, match="--device is cpu or cuda, not 'lamp'"):
        experiment.main(str(home), device="lamp")


def test_processes_of_torchrun_have_a_gpu_each_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DimmerError, match="--device cuda:1: under torchrun each process has a GPU of its own"):
        experiment._own_gpu("cuda:1")
    monkeypatch.setattr(processes, "device", lambda: torch.device("cpu"))
    with pytest.raises(DimmerError, match="--device cuda: there is no GPU here; write --device cpu"):
        experiment._own_gpu("cuda")
    monkeypatch.setattr(processes, "device", lambda: torch.device("cuda", 1))
    assert experiment._own_gpu("cuda") == "cuda:1"


def test_the_page_of_claims_is_written_and_checked(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment, "MODELS", home.parent)
    page = tmp_path / "claims.md"
    with pytest.raises(DimmerError, match=r"claims\.md is not what the results give; write it with"):
        experiment.main(claims=page, check=True)
    experiment.main(claims=page)
    assert "Nothing of this table was run." in page.read_text()
    experiment.main(claims=page, check=True)
