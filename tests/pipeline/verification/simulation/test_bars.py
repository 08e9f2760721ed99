# SPDX-License-Identifier: Apache-2.0
"""Bars hold or are missed."""

from __future__ import annotations

from dataclasses import replace

from dimmer.pipeline.verification.simulation.bars import bars_of
from dimmer.pipeline.verification.simulation.scenarios import Kind
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
