# SPDX-License-Identifier: Apache-2.0
"""The hull: what a mixture of two modes beats is not chosen, nor what only noise lifts over the line."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dimmer.pipeline.energy.hull import concave_hull

# cifar10-r14 on a Cortex-M4: millions of instructions and test accuracy, from the README.
INSTRUCTIONS = {
    "88.88.88": 16.54, "80.88.88": 13.81, "80.80.88": 11.08, "80.80.80": 8.57,
    "44.44.44": 11.43, "40.44.44": 9.63, "40.40.44": 7.96, "40.40.40": 6.32,
    "22.22.22": 9.22, "20.22.22": 7.65, "20.20.22": 6.44, "20.20.20": 5.18,
}  # fmt: skip
ACCURACY = {
    "88.88.88": 0.9093, "80.88.88": 0.9015, "80.80.88": 0.8910, "80.80.80": 0.8670,
    "44.44.44": 0.9051, "40.44.44": 0.8950, "40.40.44": 0.8862, "40.40.40": 0.8614,
    "22.22.22": 0.8708, "20.22.22": 0.8629, "20.20.22": 0.8484, "20.20.20": 0.8209,
}  # fmt: skip


def test_the_hull_of_cifar10() -> None:
    hull = concave_hull(INSTRUCTIONS, ACCURACY, 10_000)
    assert hull.modes == ("20.20.20", "40.40.40", "40.40.44", "44.44.44", "88.88.88")
    assert hull.knee == "40.40.44"
    assert set(hull.left_out) == set(INSTRUCTIONS) - set(hull.modes)
    assert hull.left_out["80.80.80"] == "40.40.44 costs no more and is right as often"
    assert "a mixture of 40.40.40 and 40.40.44" in hull.left_out["20.22.22"]


def test_what_is_lifted_by_noise_goes() -> None:
    costs, accuracy = {"a": 10.0, "b": 20.0, "c": 30.0}, {"a": 0.80, "b": 0.86, "c": 0.90}
    assert concave_hull(costs, accuracy, 10_000).modes == ("a", "b", "c")
    few = concave_hull(costs, accuracy, 300)
    assert (few.modes, few.knee) == (("a", "c"), "c")
    assert few.left_out == {"b": "is right in 1.00 % more than a mixture of a and c: within the noise of 300 images"}


def test_modes_that_fail_on_the_same_images_are_told_apart_by_fewer() -> None:
    costs, images = {"a": 10.0, "b": 20.0, "c": 30.0}, 1000
    right = {name: np.arange(images) < share * images for name, share in (("a", 0.80), ("b", 0.86), ("c", 0.90))}
    accuracy = {name: float(found.mean()) for name, found in right.items()}
    assert concave_hull(costs, accuracy, images).modes == ("a", "c")
    assert concave_hull(costs, accuracy, images, right=right).modes == ("a", "b", "c")
    rng = np.random.default_rng(0)
    shuffled = {name: rng.permutation(found) for name, found in right.items()}
    assert concave_hull(costs, accuracy, images, right=shuffled).modes == ("a", "c")


def test_of_more_than_fit_those_go_that_add_least() -> None:
    costs = {f"m{n}": float(n) for n in range(1, 13)}
    accuracy = {f"m{n}": 1 - 0.9**n for n in range(1, 13)}
    hull = concave_hull(costs, accuracy, 10**8)
    assert len(hull.modes) == 8
    assert (hull.modes[0], hull.modes[-1]) == ("m1", "m12")
    assert all("8 modes add more" in why for why in hull.left_out.values())


def test_a_cheap_bad_mode_is_worse_than_leaving_inferences_out() -> None:
    hull = concave_hull({"bad": 9.0, "good": 10.0}, {"bad": 0.2, "good": 0.9}, 10_000)
    assert hull.modes == ("good",)
    assert hull.left_out["bad"].startswith("good, now and then left out, costs the same and is right in 61.00 % more")


@pytest.mark.parametrize("images", [100, 10_000])
@given(st.lists(st.tuples(st.integers(1, 100), st.integers(1, 100)), min_size=1, max_size=12))
def test_no_mode_beats_a_mixture_of_the_hull(images: int, modes: list[tuple[int, int]]) -> None:
    costs = {str(n): float(cost) for n, (cost, _) in enumerate(modes)}
    accuracy = {str(n): right / 100 for n, (_, right) in enumerate(modes)}
    hull = concave_hull(costs, accuracy, images)
    assert set(hull.modes) | set(hull.left_out) == set(costs)
    assert not set(hull.modes) & set(hull.left_out)
    chosen = [(costs[m], accuracy[m]) for m in hull.modes]
    assert chosen == sorted(chosen)
    assert max(accuracy.values()) == chosen[-1][1]
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in zip([(0.0, 0.0), *chosen], chosen, strict=False)]
    assert all(a >= b - 1e-9 for a, b in pairwise(slopes))
