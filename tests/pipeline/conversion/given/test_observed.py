# SPDX-License-Identifier: Apache-2.0
"""Tensors that must have one scale are a group; rounding a group disturbs the outputs as far as its grid is coarse."""

from __future__ import annotations

import numpy as np

from dimmer.calibration.ranges import Affine, Range, affine
from dimmer.pipeline.conversion.given.observed import FloatNetwork
from tests.pipeline.conversion.given.networks import float_tflite, samples

NETWORK = FloatNetwork(float_tflite())
ROWS = [[image] for image in samples(5)[0]]


def test_groups() -> None:
    assert [group.names for group in NETWORK.groups] == [
        ("image",),
        ("conv", "pool", "flat"),
        ("logits",),
        ("chances",),
    ]
    assert [group.fixed for group in NETWORK.groups] == [False, False, False, True]
    assert NETWORK.elements == 36 + 72 + 18 + 18 + 3 + 3


def test_histograms_hold_every_value() -> None:
    shares: list[float] = []
    found = NETWORK.histograms(ROWS, shares.append)
    assert [int(histogram.counts.sum()) for histogram in found] == [5 * 36, 5 * (72 + 18 + 18), 5 * 3, 5 * 3]
    images = np.stack([row[0] for row in ROWS])
    assert (found[0].low, found[0].high) == (images.min(), images.max())
    assert shares == sorted(shares)


def test_one_group_is_rounded_and_no_other() -> None:
    exact = np.stack([row[0] for row in NETWORK.outputs(ROWS)])
    whole = Range(-1.0, 2.0)
    errors = []
    for grid in (affine(whole), Affine(0.5, 0)):
        found = np.stack([row[0] for row in NETWORK.rounded(NETWORK.groups[1])(grid, ROWS)])
        errors.append(float(np.abs(found - exact).max()))
    assert 0 < 3 * errors[0] < errors[1]
    last = np.stack([row[0] for row in NETWORK.rounded(NETWORK.groups[3])(Affine(1 / 256, -128), ROWS)])
    assert np.array_equal(last, np.clip(np.rint(exact * 256), 0, 255) / 256)
