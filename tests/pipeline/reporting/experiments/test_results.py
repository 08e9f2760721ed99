# SPDX-License-Identifier: Apache-2.0
"""What a table says."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core.statistics import mcnemar, sign_flips
from dimmer.pipeline.reporting.experiments.merged import merge
from dimmer.pipeline.reporting.experiments.results import load_results, results_of, spread, verdict
from dimmer.pipeline.reporting.experiments.runs import runs_of
from dimmer.pipeline.reporting.experiments.table import Compared, Table
from tests.pipeline.reporting.experiments.small import made_up
from tests.pipeline.reporting.experiments.test_runs import write


def test_differences_are_taken_seed_by_seed_and_images_pooled(table: Table, tmp_path: Path) -> None:
    every = runs_of(table, tmp_path / "out")
    for run in every:
        write(run, made_up(run))
    results = results_of(table, every)
    assert results.missing() == ()
    base, between = results.comparisons
    # 80 and 81 images of 100 from the front, against 79 from the back.
    assert (base.values, base.seeds) == ((1.0, 2.0), (1, 2))
    assert (base.better, base.worse) == (21 + 21, 20 + 19)
    assert base.p == pytest.approx(mcnemar(42, 39))
    # The same images in both seeds, but for two: 20 of each that count twice, and two that count once.
    assert base.p_by_image == pytest.approx(sign_flips(np.array([2] * 20 + [1] * 2 + [-2] * 19 + [-1])))
    assert base.p is not None
    assert base.p_by_image is not None
    assert base.p_by_image > base.p
    assert base.found is not None
    assert base.found.mean == pytest.approx(1.5)
    assert base.not_worse is False, "two seeds that differ by a point show little"
    assert verdict(base) == "not shown to be not worse by 0.3"
    assert between.values == (-10.0, -10.0)
    assert (between.better, between.worse) == (0, 20)
    assert verdict(dataclasses.replace(base, not_worse=True)) == "not worse by 0.3"


def test_a_missing_run_is_named_and_one_seed_says_nothing(table: Table, tmp_path: Path) -> None:
    every = runs_of(table, tmp_path / "out")
    write(every[0], made_up(every[0]))
    write(every[1], made_up(every[1]))
    results = results_of(table, every)
    assert results.missing() == ("labels, seed 2", "alone-base, seed 2")
    assert (results.comparisons[0].seeds, results.comparisons[0].missing) == ((1,), (2,))
    assert verdict(results.comparisons[0]) == "one seed says nothing"
    nothing = results_of(table, ())
    assert len(nothing.missing()) == 4
    assert verdict(nothing.comparisons[0]) == "not run"
    assert nothing.comparisons[0].found is None


def test_results_are_read_as_they_were_written_with_bits_of_what_is_compared(table: Table, tmp_path: Path) -> None:
    every = runs_of(table, tmp_path / "out")
    for run in every:
        write(run, made_up(run))
    results = results_of(table, every)
    results.save(tmp_path / "depth.json")
    assert load_results(tmp_path / "depth.json") == results
    nets = results.arms[0].runs[0].nets
    assert {name for name, net in nets.items() if net.right} == {"base", "80.88"}
    (tmp_path / "depth.json").write_text("[]")
    with pytest.raises(DimmerError, match=r"depth\.json has no results of an experiment"):
        load_results(tmp_path / "depth.json")


def test_networks_that_an_arm_lacks_and_other_images_are_refused(table: Table, tmp_path: Path) -> None:
    every = runs_of(table, tmp_path / "out")
    for run in every:
        write(run, made_up(run))
    wrong = dataclasses.replace(table, compare=((Compared("labels", "base"), Compared("alone-base", "base")),))
    with pytest.raises(DimmerError, match=r"depth\.compare: alone-base\.base: alone-base has only super"):
        results_of(wrong, every)
    write(every[1], made_up(every[1], images=200))
    with pytest.raises(DimmerError, match=r"labels\.base and alone-base\.super have other test images"):
        results_of(table, every)


def test_figures_for_people() -> None:
    assert spread([]) == "-"
    assert spread([90.0]) == "90.00 (1)"
    assert spread([90.0, 91.0]) == "90.50 ± 0.71 (2)"


def test_predictions_that_results_left_out_are_told_and_not_taken_for_none(table: Table, tmp_path: Path) -> None:
    """They counted as 0 better and 0 worse, p = 1."""
    every = runs_of(table, tmp_path / "out")
    for run in every:
        write(run, made_up(run))
    shipped = tmp_path / "depth.json"
    results_of(table, every).save(shipped)
    again = runs_of(table, tmp_path / "again")
    merge(again, shipped)
    pair = (Compared("labels", "super"), Compared("alone-base", "super"))
    more = dataclasses.replace(table, compare=(*table.compare, pair))
    with pytest.raises(
        DimmerError, match=r"labels\.super: there are no predictions of seed 1: .*--merge the folder of"
    ):
        results_of(more, again)
    # The folder has them, and takes the place of the record without.
    assert merge(again, tmp_path / "out").taken == len([run for run in again if run.arm.name == "labels"])
    assert results_of(more, again).comparisons[-1].better > 0
