# SPDX-License-Identifier: Apache-2.0
"""Bars hold or are missed."""

from __future__ import annotations

from dataclasses import replace

from dimmer.pipeline.verification.simulation.bars import bars_of
from dimmer.pipeline.verification.simulation.scenarios import Kind
from dimmer.pipeline.verification.simulation.summary import Estimate, Summary
from tests.pipeline.verification.simulation.test_summary import example


def test_a_deadline_has_three_bars() -> None:
    bars = bars_of([example()])
    assert [bar.what for bar in bars] == [
        "points over the robust fixed mode",
        "share of the oracle's",
        "survival of the feasible devices",
    ]
    assert [bar.holds for bar in bars] == [True, False, True]


def test_what_has_no_end_has_none() -> None:
    assert bars_of([replace(example(), kind=Kind.ENDLESS)]) == []


def test_a_boards_first_deadline_has_a_fourth_where_there_are_others() -> None:
    first = example()
    right = [row.right.value for row in first.rows]
    assert right[2] > right[1]
    longer, worse = replace(first, days=1.5 * first.days), replace(first, days=2 * first.days)
    # As good as the robust mode of the first deadline, and a little less.
    worse = replace(worse, rows=tuple(replace(row, right=first.rows[1].right) for row in worse.rows))
    worst = replace(worse, days=3 * first.days, rows=tuple(replace(r, right=Estimate(0.6, 0.0)) for r in worse.rows))

    def life(*summaries: Summary) -> list[float]:
        return [bar.value for bar in bars_of(summaries) if bar.what.startswith("life at")]

    assert life(first, longer) == [1.5]
    assert life(worst, longer, worse, first) == [2.0]
    assert life(first, worst) == [1.0]
    assert life(first) == life(first, replace(longer, board="another")) == []
    assert life(replace(first, robust_fixed=None), longer) == []
