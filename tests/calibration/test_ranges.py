# SPDX-License-Identifier: Apache-2.0
"""The estimators against what their definitions say about known distributions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dimmer.calibration.ranges import (
    METHODS,
    Histogram,
    Range,
    affine,
    estimate,
    mean_squared_error,
    min_max,
    percentile,
)


def histogram(values: np.ndarray) -> Histogram:
    values = values.astype(np.float32)
    return Histogram.of(values, float(values.min()), float(values.max()))


def quantised_mse(values: np.ndarray, r: Range) -> float:
    grid = affine(r)
    codes = np.clip(np.rint(values / grid.scale) + grid.zero_point, -128, 127)
    return float(np.mean(((codes - grid.zero_point) * grid.scale - values) ** 2))


@pytest.fixture(scope="module")
def heavy_tail() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(0, 1, 50_000), [40.0, -35.0]])


def test_min_max_is_the_whole_range(heavy_tail: np.ndarray) -> None:
    assert min_max(histogram(heavy_tail)) == Range(-35.0, 40.0)


def test_percentile_cuts_the_tails(heavy_tail: np.ndarray) -> None:
    r = percentile(histogram(heavy_tail), 99.9)
    assert -4.0 < r.low < -2.5
    assert 2.5 < r.high < 4.0


def test_percentile_keeps_zero_as_the_end_of_a_rectified_tensor() -> None:
    values = np.abs(np.random.default_rng(1).normal(0, 1, 10_000))
    assert percentile(histogram(values), 99.0).low == 0.0


def test_mse_beats_min_max_on_a_heavy_tail_and_equals_it_without_one(heavy_tail: np.ndarray) -> None:
    values = np.concatenate([np.random.default_rng(2).normal(0, 1, 50_000), [12.0, -11.0]])
    assert quantised_mse(values, mean_squared_error(histogram(values))) < quantised_mse(
        values, min_max(histogram(values))
    )
    flat = np.linspace(-3, 3, 10_001)
    r = mean_squared_error(histogram(flat))
    assert r.high == pytest.approx(3.0, rel=0.05)


@pytest.mark.parametrize("method", METHODS)
def test_every_estimator_covers_zero_and_stays_inside_what_was_seen(method: str, heavy_tail: np.ndarray) -> None:
    h = histogram(heavy_tail)
    r = estimate(method, h, 99.9)
    assert h.low - 1e-3 <= r.low <= 0.0 <= r.high <= h.high + 1e-3


@settings(max_examples=50, deadline=None)
@given(st.floats(-50, 0), st.floats(0.01, 50))
def test_zero_is_on_the_grid(low: float, high: float) -> None:
    grid = affine(Range(low, high))
    assert -128 <= grid.zero_point <= 127
    assert (0.0 / grid.scale + grid.zero_point) == grid.zero_point


def test_a_dead_tensor_gets_a_valid_range() -> None:
    for method in METHODS:
        r = estimate(method, Histogram.of(np.zeros(100, np.float32), 0.0, 0.0), 99.9)
        assert r.high > r.low


def test_unknown_estimator_names_the_known_ones(heavy_tail: np.ndarray) -> None:
    with pytest.raises(ValueError, match="minmax, percentile, mse, entropy"):
        estimate("median", histogram(heavy_tail), 99.0)


def test_merging_is_counting_together() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=500).astype(np.float32), rng.normal(size=700).astype(np.float32)
    both = np.concatenate([a, b])
    low, high = float(both.min()), float(both.max())
    merged = Histogram.of(a, low, high).merged(Histogram.of(b, low, high))
    assert (merged.counts == Histogram.of(both, low, high).counts).all()
    with pytest.raises(ValueError, match="different bounds"):
        merged.merged(Histogram.of(a, 0.0, 1.0))
