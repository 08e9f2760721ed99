# SPDX-License-Identifier: Apache-2.0
"""Means, intervals, differences."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from dimmer.pipeline.verification.simulation.experiment import Outcome, Part
from dimmer.pipeline.verification.simulation.summary import Estimate, Summary, as_json, summarise
from tests.pipeline.verification.simulation.shared import deadline


def example() -> Summary:
    """Two seeds of two devices: one fixed mode dies in half of them, the other is worse."""
    parts = [Part(0, 0, 2, 0), Part(1, 0, 2, 0)]
    outcomes = [
        Outcome(
            ("fixed bright", "fixed dim", "governor"),
            np.array([[0.8, 0.9], [0.7, 0.7], [0.8 + more, 0.9 + more]]),
            np.array([[0.5, 1.0], [1.0, 1.0], [1.0, 1.0]]),
            np.zeros((3, 2)),
            np.array([0.0, 1.0]),
            np.array([0.95, np.nan]),
        )
        for more in (0.01, 0.03)
    ]
    return summarise(deadline(), parts, outcomes)


def test_best_robust_and_differences() -> None:
    summary = example()
    assert (summary.best_fixed, summary.robust_fixed) == ("fixed bright", "fixed dim")
    assert (summary.devices, summary.seeds, summary.feasible) == (2, 2, 0.5)
    governor = summary.row("governor")
    assert governor.over_fixed.value == pytest.approx(0.02)
    # Student's t with one degree of freedom: 12.7062 times 0.01.
    assert governor.over_fixed.plus_minus == pytest.approx(0.127062)
    assert governor.over_robust.value == pytest.approx(0.17)
    assert governor.under_oracle.value == pytest.approx(0.95 - 0.82)
    assert summary.row("fixed bright").survival == 0.5
    assert summary.row("fixed bright").feasible_survival == 1


def test_an_oracle_of_few_devices_is_told_of_all_by_what_it_has_more() -> None:
    summary = example()
    # The oracle was solved for the first device of each seed, where right is 0.81 and 0.83, and of all 0.86 and 0.88.
    assert (summary.oracle.value, summary.oracles) == (0.95, 2)
    assert summary.oracle_of_fleet.value == pytest.approx(1.0)
    governor = summary.row("governor")
    assert summary.oracle_of_fleet.value == pytest.approx(governor.right.value + governor.under_oracle.value)
    assert summary.oracle_of_fleet.plus_minus == pytest.approx(0, abs=1e-12)
    found = as_json(summary)
    assert found["oracles"] == 2
    assert found["oracle_of_fleet"] == {"value": 1.0, "plus_minus": 0.0}


def test_an_oracle_of_all_devices_is_their_mean() -> None:
    oracle = np.array([0.95, 0.97])
    outcomes = [
        Outcome(("fixed dim",), np.array([[0.7, more]]), np.ones((1, 2)), np.zeros((1, 2)), np.ones(2), oracle - more)
        for more in (0.01, 0.03)
    ]
    summary = summarise(deadline(), [Part(0, 0, 2, 2), Part(1, 0, 2, 2)], outcomes)
    assert summary.oracle_of_fleet.value == pytest.approx(summary.oracle.value)
    assert summary.oracle_of_fleet.plus_minus == pytest.approx(summary.oracle.plus_minus)
    assert summary.oracles == 4


@pytest.mark.parametrize(("seeds", "t"), [(2, 12.7062), (10, 2.2622), (30, 2.0452), (100, 1.9842)])
def test_intervals_are_student_s_of_any_number_of_seeds(seeds: int, t: float) -> None:
    values = np.random.default_rng(0).normal(size=seeds)
    half = t * values.std(ddof=1) / math.sqrt(seeds)
    assert Estimate.of(values).plus_minus == pytest.approx(half, rel=1e-4)


def test_one_seed_has_no_interval() -> None:
    estimate = Estimate.of(np.array([0.5]))
    assert math.isnan(estimate.plus_minus)
    assert estimate.text() == "50.00"
    assert Estimate(0.5, 0.001).text(sign=True) == "+50.00 ± 0.10"
    assert Estimate(math.nan, math.nan).text() == "-"


def test_the_file_has_null_for_what_is_not_known() -> None:
    text = json.dumps(as_json(example()), allow_nan=False)
    assert json.loads(text)["policies"][0]["policy"] == "fixed bright"
