# SPDX-License-Identifier: Apache-2.0
"""The page of claims is what the results give."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core.closure import ROOT
from dimmer.pipeline.reporting.experiments.claims import claims_page
from dimmer.pipeline.reporting.experiments.results import results_of
from dimmer.pipeline.reporting.experiments.runs import runs_of
from dimmer.pipeline.reporting.experiments.table import Table
from dimmer.project import MODELS
from tests.pipeline.reporting.experiments.small import TABLE, made_up, table_in
from tests.pipeline.reporting.experiments.test_runs import write
from tests.pipeline.training.small import RECIPE


def shipped(table: Table, folder: Path) -> Path:
    """The results of runs that never were, where those of the model in a folder lie."""
    every = runs_of(table, folder / "out")
    for run in every:
        write(run, made_up(run))
    path = folder / "tiny" / "experiments" / "depth.json"
    results_of(table, every).save(path)
    return path


def test_the_shipped_page_is_what_the_shipped_results_give() -> None:
    assert (ROOT / "docs" / "claims.md").read_text() == claims_page(MODELS)


def test_what_was_not_run_is_said(table: Table, tmp_path: Path) -> None:
    page = claims_page(tmp_path)
    assert "## tiny" in page
    assert "### depth: which loss" in page
    assert "| `labels` | half labels | - | - | - | 1, 2 |" in page
    assert "| `labels.base` - `alone-base.super` | - | - | - | - | not run |" in page
    assert "Nothing of this table was run." in page


def test_the_worst_pattern_between_is_one_of_8_bits(table: Table, tmp_path: Path) -> None:
    run = runs_of(table, tmp_path / "out")[0]
    record = made_up(run)
    narrow = dataclasses.replace(record.nets["80.88"], mode="44.44", test=1.0)
    write(run, dataclasses.replace(record, nets={**record.nets, "44.44": narrow}))
    results_of(table, [run]).save(tmp_path / "tiny" / "experiments" / "depth.json")
    assert "| 80.88: 70.00 (1) |" in claims_page(tmp_path)


def test_figures_stand_with_their_intervals_and_missing_seeds(table: Table, tmp_path: Path) -> None:
    every = runs_of(table, tmp_path / "out")
    for run in every[:3]:
        write(run, made_up(run))
    results_of(table, every).save(tmp_path / "tiny" / "experiments" / "depth.json")
    page = claims_page(tmp_path)
    assert "| `labels` | half labels | 90.50 ± 0.71 (2) | 80.50 ± 0.71 (2) | 80.88: 70.50 ± 0.71 (2) | none |" in page
    assert "| `alone-base` |  | 79.00 (1) | - | - | 2 |" in page
    assert "| +1.00 (1) | - | - | 21 : 20, p = 1 | one seed says nothing; missing: 2 |" in page
    assert "| -10.00 (2) | -10.00 to -10.00 | -10.00 | 0 : 20, p = 0.00098 | not shown to be not worse by 0.3 |" in page
    assert "3 runs, 0.1 hours of cpu, torch 2.0." in page
    table_in(tmp_path, TABLE.replace("= 0.5", "= 0.4"))
    with pytest.raises(DimmerError, match=r"depth\.json is of another table than .*; run: dimmer experiment tiny"):
        claims_page(tmp_path)


@pytest.mark.parametrize(
    ("table_text", "recipe_text", "why"),
    [
        (TABLE.replace("seeds =", "margin = 3.0\nseeds ="), RECIPE, "the comparisons are not what its runs give"),
        (TABLE, RECIPE.replace("lr = ", "lr = 1"), "labels, seed 1: of another training than the recipe"),
    ],
)
def test_results_of_an_older_recipe_are_refused(
    table: Table, tmp_path: Path, table_text: str, recipe_text: str, why: str
) -> None:
    every = runs_of(table, tmp_path / "out")
    for run in every:
        write(run, made_up(run))
    results_of(table, every).save(tmp_path / "tiny" / "experiments" / "depth.json")
    claims_page(tmp_path)
    (tmp_path / "tiny" / "experiments.toml").write_text(table_text)
    (tmp_path / "tiny" / "recipe.toml").write_text(recipe_text)
    assert (table_text, recipe_text) != (TABLE, RECIPE)
    with pytest.raises(DimmerError, match=rf"depth\.json: {why}"):
        claims_page(tmp_path)


def test_figures_that_were_edited_are_refused(table: Table, tmp_path: Path) -> None:
    path = shipped(table, tmp_path)
    edited = json.loads(path.read_text())
    edited["comparisons"][0]["found"]["mean"] = 9.99
    path.write_text(json.dumps(edited))
    with pytest.raises(DimmerError, match="the comparisons are not what its runs give; run: dimmer experiment tiny"):
        claims_page(tmp_path)


def test_last_digits_of_another_processor_are_not_edited(table: Table, tmp_path: Path) -> None:
    path = shipped(table, tmp_path)
    page = claims_page(tmp_path)
    elsewhere = json.loads(path.read_text())
    found = elsewhere["comparisons"][0]["found"]
    changed = {key: value * (1 + 4e-16) for key, value in found.items() if isinstance(value, float) and value}
    assert any(changed[key] != found[key] for key in changed)
    found.update(changed)
    path.write_text(json.dumps(elsewhere))
    assert claims_page(tmp_path) == page
