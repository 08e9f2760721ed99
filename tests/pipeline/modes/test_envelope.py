# SPDX-License-Identifier: Apache-2.0
"""Time-sharing of uniform modes."""

from __future__ import annotations

import numpy as np
import pytest

from dimmer.pipeline.modes.envelope import envelope


def test_a_mixture_has_the_mean_cost_that_was_asked_for() -> None:
    """The figures of README: cycles in millions, percent."""
    found = envelope({"88.88.88": (23.98, 90.93), "44.44.44": (17.11, 90.51), "22.22.22": (13.27, 87.08)})
    costs = {vertex.name: vertex.cost for vertex in found.vertices}
    mixture = found.mixture(14.44)
    assert sum(mixture.values()) == pytest.approx(1.0)
    assert sum(share * costs[name] for name, share in mixture.items()) == pytest.approx(14.44)
    accuracy = sum(share * vertex.accuracy for vertex in found.vertices for share in [mixture.get(vertex.name, 0.0)])
    assert accuracy == pytest.approx(87.08 + (90.51 - 87.08) * (14.44 - 13.27) / (17.11 - 13.27))


def test_the_ends_are_modes_alone() -> None:
    found = envelope({"dear": (2.0, 90.0), "cheap": (1.0, 80.0)})
    assert found.mixture(0.5) == {"cheap": 1.0}
    assert found.mixture(1.0) == {"cheap": 1.0}
    assert found.mixture(2.0) == {"dear": 1.0}
    assert found.mixture(3.0) == {"dear": 1.0}


def test_equal_costs_and_worse_modes_are_no_vertices() -> None:
    found = envelope({"a": (1.0, 80.0), "b": (1.0, 85.0), "c": (2.0, 84.0), "d": (3.0, 90.0)})
    assert [vertex.name for vertex in found.vertices] == ["b", "d"]


def test_no_mode_lies_over_its_envelope() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        points = {str(i): (float(c), float(a)) for i, (c, a) in enumerate(rng.random((8, 2)))}
        found = envelope(points)
        height = {vertex.name: vertex.accuracy for vertex in found.vertices}
        for cost, accuracy in points.values():
            if cost >= found.vertices[0].cost:
                shared = sum(share * height[name] for name, share in found.mixture(cost).items())
                assert accuracy <= shared + 1e-12
