# SPDX-License-Identifier: Apache-2.0
"""The ranges of a float `.tflite`, chosen as those of the project's own networks are (`calibration.assign`).

Every estimator proposes a range for a group of tensors; the proposal that disturbs the outputs least, all else being
float, wins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dimmer.calibration.ranges import METHODS, Histogram, Range, affine, estimate, min_max
from dimmer.pipeline.artifacts.quantised import ChosenRange
from dimmer.pipeline.conversion.given.observed import FloatNetwork, Group, Sample

if TYPE_CHECKING:
    from dimmer.pipeline.conversion.given.observed import Floats

PERCENTILE = 99.99
FEWEST_PROBES, MOST_PROBES = 4, 64
_WORK = 4_000_000_000
"""Elements of activations that are computed for the choice, about: of larger networks fewer samples are looked at."""


def chosen_ranges(
    network: FloatNetwork, samples: Sequence[Sample], done: Callable[[float], None] = lambda _share: None
) -> list[ChosenRange]:
    """One range for each group of tensors, in the order of execution."""
    histograms = network.histograms(samples, lambda share: done(0.3 * share))
    runs = len(METHODS) * len(network.groups) * max(1, network.elements)
    probe = samples[: int(np.clip(_WORK // runs, FEWEST_PROBES, MOST_PROBES))]
    exact = network.outputs(probe)
    chosen = []
    for number, (group, histogram) in enumerate(zip(network.groups, histograms, strict=True)):
        done(0.3 + 0.7 * number / len(network.groups))
        chosen.append(_chosen(network, group, histogram, probe, exact))
    return chosen


def _chosen(
    network: FloatNetwork, group: Group, histogram: Histogram, probe: Sequence[Sample], exact: list[list[Floats]]
) -> ChosenRange:
    if group.fixed:
        whole = min_max(histogram)
        return ChosenRange(group.names, whole.low, whole.high, "fixed", None)
    proposals: dict[tuple[float, int], tuple[str, Range]] = {}
    for method in METHODS:
        proposed = estimate(method, histogram, PERCENTILE)
        grid = affine(proposed)
        proposals.setdefault((grid.scale, grid.zero_point), (method, proposed))
    outputs = network.rounded(group)
    found = [
        (relative_error(exact, outputs(affine(proposed), probe)), method, proposed)
        for method, proposed in proposals.values()
    ]
    error, method, best = min(found, key=lambda one: one[0])
    return ChosenRange(group.names, best.low, best.high, method, error)


def relative_error(exact: Sequence[Sequence[Floats]], other: Sequence[Sequence[Floats]]) -> float:
    """Mean squared error of the outputs over their variance, summed over the outputs of a network."""
    total = 0.0
    for output in range(len(exact[0])):
        wanted = np.stack([row[output] for row in exact]).astype(np.float64)
        found = np.stack([row[output] for row in other]).astype(np.float64)
        total += float(((found - wanted) ** 2).mean() / max(float(wanted.var()), 1e-30))
    return total
