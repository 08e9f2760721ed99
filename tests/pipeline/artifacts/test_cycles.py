# SPDX-License-Identifier: Apache-2.0
"""Cycles come with their source, and people are told it."""

from __future__ import annotations

import pytest

from dimmer.pipeline.artifacts.cycles import MODEL_ERROR, Cycles, check_cycles, cycles_lines, cycles_text

MODELLED, MEASURED, NONE = Cycles(1600, "model"), Cycles(1500, "rtl"), Cycles(None, None)


def test_modelled_cycles_are_marked() -> None:
    assert [cycles_text(each) for each in (MODELLED, MEASURED, NONE)] == ["~1,600", "1,500", "-"]


def test_a_table_says_where_its_cycles_come_from() -> None:
    assert cycles_lines([NONE]) == cycles_lines([]) == []
    assert cycles_lines([MEASURED, NONE], "a guess") == ["cycles: measured on the core's RTL"]
    first, second = cycles_lines([MODELLED, NONE], "a guess")
    assert MODEL_ERROR in first
    assert second == "a guess"
    assert len(cycles_lines([MODELLED, MEASURED])) == 2


def test_cycles_of_nothing_or_from_nowhere_are_refused() -> None:
    check_cycles("it", None, None)
    check_cycles("it", 1, "rtl")
    with pytest.raises(ValueError, match="it takes 0 cycles, which cannot be"):
        check_cycles("it", 0, "model")
    with pytest.raises(ValueError, match="it has cycles 7 from None: one of the two is missing"):
        check_cycles("it", 7, None)
