# SPDX-License-Identifier: Apache-2.0
"""What a trace must be for anything to be found in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.energy.measurement.trace import Trace, checked, interval
from tests.pipeline.energy.measurement.traces import trace

PATH = Path("a.csv")


def test_current_is_what_inferences_are_found_by() -> None:
    both = replace(trace(), milliwatts=np.ones(len(trace().drawn)))
    assert both.drawn is both.milliamperes
    power = Trace("a test", 1.0, milliwatts=np.ones(5))
    assert power.drawn is power.milliwatts


def test_what_is_no_number_is_told() -> None:
    assert checked(PATH, trace()).interval_s == 1e-4
    values = np.ones(10)
    values[6] = np.nan
    with pytest.raises(DimmerError, match=r"a\.csv: sample 7 is no number"):
        checked(PATH, replace(trace(), milliamperes=values))
    with pytest.raises(DimmerError, match="sample 7 is no number"):
        checked(PATH, replace(trace(), milliwatts=values))
    with pytest.raises(DimmerError, match="its voltage holds what is no number"):
        checked(PATH, replace(trace(), millivolts=float("inf")))
    with pytest.raises(DimmerError, match="3 samples"):
        checked(PATH, replace(trace(), milliamperes=np.ones(3)))
    with pytest.raises(DimmerError, match="inf s from sample to sample"):
        checked(PATH, replace(trace(), interval_s=float("inf")))


def test_samples_come_at_equal_intervals() -> None:
    assert interval(PATH, np.arange(100) / 10) == pytest.approx(0.1)
    # A clock that is rounded is no loss.
    assert interval(PATH, np.round(np.arange(1000) * 0.0104, 3)) == pytest.approx(0.0104, rel=1e-3)
    with pytest.raises(DimmerError, match="samples are missing, or time steps back, behind sample 50"):
        interval(PATH, np.concatenate([np.arange(50), np.arange(60, 110)]) / 10)
