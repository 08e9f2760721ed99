# SPDX-License-Identifier: Apache-2.0
"""Tables of activations of 16 bits."""

from __future__ import annotations

import math

import pytest

from dimmer.firmware_gen.graph import wide
from dimmer.firmware_gen.graph.fixed_point import RangeError


def test_the_table_of_the_sigmoid_is_that_of_the_interpreter() -> None:
    table = wide.sigmoid_table()
    # Not the sigmoid itself, 33450.6 and 56801.4, but moved towards the middles.
    assert (len(table), table[0], table[1], table[45], table[255]) == (256, 32768, 33451, 56823, 65535)
    assert all(abs(entry - 65536 / (1 + math.exp(-i / 24))) < 1.3 for i, entry in enumerate(table[:-1]))


@pytest.mark.parametrize(
    ("scale", "hyperbolic", "expected"),
    [(2.0**-12, False, (3, 0)), (2.0**-11, True, (6, 0)), (2.0**-11, False, (24576, 12)), (1e-3, True, (25165, 11))],
)
def test_an_input_is_brought_to_the_table(scale: float, hyperbolic: bool, expected: tuple[int, int]) -> None:
    multiplier, shift = wide.sigmoid_scaling(scale, hyperbolic=hyperbolic)
    assert (multiplier, shift) == expected
    assert multiplier / 2**shift == pytest.approx(scale * 12288, rel=1e-3)


@pytest.mark.parametrize("scale", [10.0, 1e-10])
def test_a_scale_that_the_table_does_not_fit_is_told(scale: float) -> None:
    with pytest.raises(RangeError, match="too far from 1/4096"):
        wide.sigmoid_scaling(scale, hyperbolic=False)


def test_tables_of_the_softmax_lie_around_their_functions() -> None:
    for table, function in (
        (wide.exponentials(), lambda i: math.exp(-10 + 10 * i / 512)),
        (wide.reciprocals(), lambda i: 1 / (1 + i / 512)),
    ):
        assert len(table) == 513
        assert all(abs(entry - 32768 * function(i)) <= 3 for i, entry in enumerate(table))
