# SPDX-License-Identifier: Apache-2.0
"""Inferences are found by the file's marks, by a pin, or by what is drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.energy.measurement.trace import Trace, Window
from dimmer.pipeline.energy.measurement.windows import find_windows
from tests.pipeline.energy.measurement.traces import COUNT, FIRST, LENGTH, PERIOD, current, trace, windows

PATH = Path("a.csv")


def found(
    one: Trace, pin: int | None = None, threshold: float | None = None, gap_s: float = 5e-4
) -> tuple[Window, ...]:
    return find_windows(PATH, one, pin, threshold, 1, gap_s)


def test_by_a_pin() -> None:
    assert found(trace(pins=True), pin=1) == windows()


def test_by_a_threshold_half_way_or_given() -> None:
    assert found(trace()) == windows()
    assert found(trace(), threshold=1.0) == windows()
    power = replace(trace(), milliwatts=3 * current(), milliamperes=None)
    assert found(power) == windows()


def test_noise_and_dips_and_short_peaks_are_no_inferences() -> None:
    rng = np.random.default_rng(0)
    values = current() * rng.normal(1, 0.05, len(current()))
    values[FIRST + 50 : FIRST + 53] = 0.01
    # A millisecond on the UART.
    values[FIRST + PERIOD // 2 : FIRST + PERIOD // 2 + 10] = 10.0
    assert found(replace(trace(), milliamperes=values)) == windows()


def test_what_the_trace_cuts_is_left_out() -> None:
    values = current().copy()
    values[:FIRST] = 10.0
    cut = replace(trace(), milliamperes=np.concatenate([values, np.full(5, 10.0)]))
    assert found(cut) == windows()[1:]
    # High all the time, but for a moment at the end.
    levels = np.ones((100, 1), bool)
    levels[98] = False
    with pytest.raises(DimmerError, match="input 0 was high in 0 whole stretches"):
        found(Trace("a test", 1.0, milliamperes=np.ones(100), pins=levels), pin=0)


def test_the_files_marks_count_unless_something_else_is_named() -> None:
    marked = replace(trace(pins=True), windows=(Window(0, 10, 7), Window(20, 30, 7)))
    assert found(marked) == marked.windows
    assert found(marked, pin=1) == windows()
    assert len(found(marked, threshold=5.0)) == COUNT
    assert found(marked, threshold=5.0)[0].stop - found(marked, threshold=5.0)[0].start == LENGTH


@pytest.mark.parametrize(
    ("one", "pin", "threshold", "message"),
    [
        (trace(), 0, None, "it has no digital inputs: export them, or leave --pin away"),
        (trace(pins=True), 2, None, "it has no input 2: name one from 0 to 1 with --pin"),
        (trace(), None, 20.0, "more than 20 mA was drawn in 0 whole stretches: record at least two"),
        (Trace("a test", 1.0, milliamperes=np.ones(9)), None, None, "what is drawn hardly changes, 1 to 1"),
        (Trace("a test", 1.0, milliwatts=np.linspace(90, 98, 9)), None, None, "what is drawn hardly changes"),
        (replace(trace(), windows=(Window(0, 9, 1),)), None, None, "the file marks 1 whole stretches"),
    ],
)
def test_what_is_not_found_is_one_line(one: Trace, pin: int | None, threshold: float | None, message: str) -> None:
    with pytest.raises(DimmerError, match=message) as caught:
        found(one, pin, threshold)
    assert "\n" not in str(caught.value)
