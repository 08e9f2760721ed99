# SPDX-License-Identifier: Apache-2.0
"""A range is that of the proposals which disturbs the outputs least."""

from __future__ import annotations

import numpy as np

from dimmer.calibration.ranges import METHODS, Range, affine, estimate, min_max
from dimmer.pipeline.conversion.given import ranges
from dimmer.pipeline.conversion.given.observed import FloatNetwork
from tests.pipeline.conversion.given.networks import float_tflite, samples


def test_the_least_disturbing_proposal_wins() -> None:
    network, rows = FloatNetwork(float_tflite()), [[image] for image in samples(12)[0]]
    rows[0] = [rows[0][0].copy()]
    rows[0][0][0, 0] = 40.0
    chosen = ranges.chosen_ranges(network, rows)
    assert [one.tensors[0] for one in chosen] == ["image", "conv", "logits", "chances"]
    histogram = network.histograms(rows, lambda _share: None)[0]
    exact, run = network.outputs(rows), network.rounded(network.groups[0])
    errors = {
        method: ranges.relative_error(exact, run(affine(estimate(method, histogram, ranges.PERCENTILE)), rows))
        for method in METHODS
    }
    assert chosen[0].error == min(errors.values()) < max(errors.values())
    assert errors[chosen[0].method] == chosen[0].error


def test_an_operator_with_a_scale_of_its_own_is_left_alone() -> None:
    network, rows = FloatNetwork(float_tflite()), [[image] for image in samples(4)[0]]
    last = ranges.chosen_ranges(network, rows)[-1]
    whole = min_max(network.histograms(rows, lambda _share: None)[-1])
    assert (last.method, last.error, Range(last.low, last.high)) == ("fixed", None, whole)


def test_relative_error() -> None:
    exact = [[np.array([0.0], np.float32)], [np.array([2.0], np.float32)]]
    other = [[np.array([1.0], np.float32)], [np.array([2.0], np.float32)]]
    assert ranges.relative_error(exact, other) == 0.5
