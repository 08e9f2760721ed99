# SPDX-License-Identifier: Apache-2.0
"""Views against numpy: what they say of every element is where numpy has it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dimmer.firmware_gen.graph.views import Layout, layout, merged, offsets, plain, reshaped, together, transposed


def places(shape: tuple[int, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Each element's own place."""
    return np.arange(math.prod(shape)).reshape(shape)


def test_transposed_and_reshaped_as_numpy_does_it() -> None:
    shape = (1, 4, 6, 8)
    view, known = plain(shape), places(shape)
    for move in ([2, 2, 3, 16], (0, 2, 1, 3), [6, 4, 2, 4], (0, 2, 3, 1)):
        if isinstance(move, list):
            found = reshaped(view, move)
            assert found is not None
            view, known = found, known.reshape(move)
        else:
            view, known = transposed(view, move), known.transpose(move)
        assert offsets(view) == known.reshape(-1).tolist()


def test_what_would_split_a_run_unevenly_is_none() -> None:
    turned = transposed(plain((4, 6)), (1, 0))
    assert reshaped(turned, (3, 8)) is not None
    assert reshaped(turned, (8, 3)) is None
    assert together(((6, 1),), ((2, 9), (2, 4))) is None
    assert together(((4, 1),), ((2, 9), (3, 4))) is None


def test_runs_that_follow_each_other_are_one() -> None:
    assert merged([(2, 12), (1, 7), (3, 4)]) == ((6, 4),)
    assert merged([(2, 12), (3, 2)]) == ((2, 12), (3, 2))
    assert together(((6, 1),), ((2, 30), (3, 10))) == ((6, 1, 10),)
    assert together(((6, 1),), ((2, 100), (3, 10))) == ((2, 3, 100), (3, 1, 10))


def test_a_layout_repeats_what_is_broadcast() -> None:
    first, second = plain((1, 2, 3, 4)), plain((4, 5))
    found = layout(first, second, plain((1, 2, 3, 5)), (1, 2, 3, 5))
    assert found == Layout(((0, 0, 0), (12, 0, 15)), ((3, 4, 5),), ((5, 1, 1),), ((4, 1, 5),))
    assert found.turned().turned() == found
    assert found.turned().depth == ((4, 5, 1),)


@pytest.mark.parametrize("runs", [2, 3])
def test_an_axis_has_two_runs_at_most(runs: int) -> None:
    axis = tuple((2, 3 * 5**level) for level in reversed(range(runs)))
    size = 2**runs
    made = layout((axis, ((4, 1),)), plain((4, 1)), plain((size, 1)), (size, 1))
    assert (made is None) == (runs > 2)
