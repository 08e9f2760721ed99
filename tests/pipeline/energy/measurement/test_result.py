# SPDX-License-Identifier: Apache-2.0
"""A trace is integrated over its inferences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.energy.measurement.result import measure
from dimmer.pipeline.energy.measurement.trace import Window
from tests.pipeline.energy.measurement.traces import (
    CHARGE_UC,
    COUNT,
    ENERGY_UJ,
    LENGTH,
    SECONDS,
    VOLTS,
    current,
    trace,
    windows,
)

PATH = Path("a.csv")


def test_charge_energy_and_time_of_an_inference() -> None:
    found = measure(PATH, trace(), windows(), 1000 * VOLTS)
    assert (found.inferences, found.stretches) == (COUNT, COUNT)
    assert found.seconds.mean == pytest.approx(SECONDS)
    assert found.microcoulombs.mean == pytest.approx(CHARGE_UC)
    assert found.microjoules.mean == pytest.approx(ENERGY_UJ)
    assert found.microcoulombs.deviation == pytest.approx(0, abs=1e-9)
    assert found.milliamperes == pytest.approx(10)
    assert found.between_ua is not None
    assert found.between_ua.mean == pytest.approx(10)


def test_power_alone_gives_the_charge_at_the_supplys_voltage() -> None:
    power = replace(trace(), milliwatts=VOLTS * current(), milliamperes=None, millivolts=1000 * VOLTS)
    found = measure(PATH, power, windows(), None)
    assert found.microcoulombs.mean == pytest.approx(CHARGE_UC)
    assert found.microjoules.mean == pytest.approx(ENERGY_UJ)


def test_a_voltage_that_is_given_counts_before_the_traces() -> None:
    both = replace(trace(), milliwatts=VOLTS * current(), millivolts=1000 * VOLTS)
    assert measure(PATH, both, windows(), None).microjoules.mean == pytest.approx(ENERGY_UJ)
    assert measure(PATH, both, windows(), 2000).microjoules.mean == pytest.approx(ENERGY_UJ * 2 / 3)
    with pytest.raises(DimmerError, match="give that of the supply, in volts, with --volts"):
        measure(PATH, trace(), windows(), None)


def test_the_spread_is_that_from_stretch_to_stretch() -> None:
    values = current().copy()
    for number, window in enumerate(windows()):
        values[window.start : window.stop] *= 1 + 0.1 * number
    found = measure(PATH, replace(trace(), milliamperes=values), windows(), 3000)
    each = CHARGE_UC * (1 + 0.1 * np.arange(COUNT))
    assert found.microcoulombs.mean == pytest.approx(each.mean())
    assert found.microcoulombs.deviation == pytest.approx(each.std(ddof=1))


def test_stretches_of_several_inferences() -> None:
    several = tuple(replace(window, inferences=4) for window in windows())
    found = measure(PATH, trace(), several, 3000)
    assert found.inferences == 4 * COUNT
    assert found.microcoulombs.mean == pytest.approx(CHARGE_UC / 4)
    assert found.seconds.mean == pytest.approx(SECONDS / 4)


def test_nothing_between_two_is_no_figure() -> None:
    start = windows()[0].start
    found = measure(PATH, trace(), (Window(start, start + 10, 1), Window(start + 10, start + LENGTH, 1)), 3000)
    assert found.between_ua is None


def test_what_no_inference_can_take_is_told() -> None:
    with pytest.raises(DimmerError, match="-600 uJ an inference cannot be: turn the meter's leads round"):
        measure(PATH, replace(trace(), milliamperes=-current()), windows(), 3000)
    first = windows()[0]
    with pytest.raises(DimmerError, match="stretch 2 of its inferences has no samples"):
        measure(PATH, trace(), (first, Window(first.stop, first.stop, 1)), 3000)
