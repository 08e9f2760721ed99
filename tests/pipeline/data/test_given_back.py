# SPDX-License-Identifier: Apache-2.0
"""Anomalies are told by how badly they are given back."""

from __future__ import annotations

import numpy as np
import pytest

from dimmer.pipeline.data.given_back import errors, limit_of


def targets(anomalous: list[int], code: int = 64) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    return np.array([[flag, code, 0] for flag in anomalous], np.int8)


def given(*off: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Outputs that are off by so much in both values; 64 codes are 1.0."""
    return np.array([[1 + one, one] for one in off])


def test_the_error_is_the_mean_square_in_the_input_s_own_values() -> None:
    np.testing.assert_allclose(errors(given(0, 0.5, -2), targets([0, 0, 1])), [0, 0.25, 4])


@pytest.mark.parametrize(
    ("anomalous", "off", "limit"),
    [
        ([0, 0, 1, 1], (0, 1, 2, 3), 2.5),  # of squares 1 and 4
        ([0, 1, 0, 1], (0, 1, 2, 3), 0.5),  # one error either way: the lower one, which misses nothing
        ([0, 0, 0, 1], (1, 1, 1, 1), 1.0),  # equal errors are not told apart
        ([0, 0], (1, 2), 4.0),
        ([1, 1], (1, 2), 0.0),
    ],
)
def test_the_limit_tells_apart_what_can_be(anomalous: list[int], off: tuple[float, ...], limit: float) -> None:
    order = np.random.default_rng(0).permutation(len(off))
    outputs, wanted = given(*off)[order], targets(anomalous)[order]
    assert limit_of(outputs, wanted) == pytest.approx(limit)


def test_few_anomalies_weigh_as_much_as_many_normal_samples() -> None:
    off = np.concatenate([np.linspace(0, 1, 100), [0.9, 2.0]])
    found = limit_of(given(*off), targets([0] * 100 + [1, 1]))
    assert 0.8 < found < 0.9 or found == pytest.approx((0.9**2 + (90 / 99) ** 2) / 2, abs=0.05)
