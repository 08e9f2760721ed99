# SPDX-License-Identifier: Apache-2.0
"""A linear function gives the codes of ADD for every pair of codes."""

from __future__ import annotations

import random

import pytest

from dimmer.firmware_gen.graph.fixed_point import multiply_by_quantized_multiplier, quantize_multiplier
from dimmer.firmware_gen.lower.steps import Step
from dimmer.firmware_gen.variants.add_linear import DOWN, linear_settings, linear_sum
from dimmer.firmware_gen.variants.conv import number
from tests.firmware_gen.variants.steps import add


def addition(first: float, second: float, output: float, zero_points: tuple[int, int, int]) -> Step:
    """An ADD as TFLite prepares it."""
    largest = 2 * max(first, second)
    pairs = [quantize_multiplier(scale) for scale in (first / largest, second / largest, largest / (2**20 * output))]
    names = ("1", "2", "_output")
    fields = {f"multiplier{name}": pair[0] for name, pair in zip(names, pairs, strict=True)}
    fields |= {f"shift{name}": pair[1] for name, pair in zip(names, pairs, strict=True)}
    places = ("zero_point1", "zero_point2", "output_zero_point")
    return add(**fields, **dict(zip(places, zero_points, strict=True)))


def in_tflite(step: Step, first: int, second: int) -> int:
    """The reference kernel's code."""

    def rescaled(code: int, name: str) -> int:
        shifted = (code - number(step, f"zero_point{name}")) << 20
        return multiply_by_quantized_multiplier(
            shifted, number(step, f"multiplier{name}"), number(step, f"shift{name}")
        )

    both = rescaled(first, "1") + rescaled(second, "2")
    code = multiply_by_quantized_multiplier(both, number(step, "multiplier_output"), number(step, "shift_output"))
    return max(-128, min(127, code + number(step, "output_zero_point")))


@pytest.mark.parametrize(
    ("first", "second", "output", "zero_points"),
    [(0.02, 0.053, 0.026, (-128, 4, -128)), (0.05, 0.041, 0.031, (3, -17, 11)), (0.1, 0.013, 0.09, (-5, 0, -60))],
)
def test_pairs_get_the_codes_of_tflite(
    first: float, second: float, output: float, zero_points: tuple[int, int, int]
) -> None:
    step = addition(first, second, output, zero_points)
    found = linear_sum(step)
    assert found is not None
    a, b, constant = found
    chance = random.Random(5)
    for _ in range(4000):
        one, other = chance.randrange(-128, 128), chance.randrange(-128, 128)
        total = a * one + b * other + constant
        assert abs(total) < 2**31
        assert max(-128, min(127, total >> DOWN)) == in_tflite(step, one, other)


def test_sums_that_overflow_are_left_to_tables() -> None:
    assert linear_sum(addition(9.0, 9.0, 1.0, (0, 0, 0))) is None
    assert linear_settings(addition(9.0, 9.0, 1.0, (0, 0, 0))) == {}


def test_a_record_says_that_it_is_linear() -> None:
    settings = linear_settings(addition(0.02, 0.053, 0.026, (-128, 4, -128)))
    assert settings["left_shift"] == 0
    assert set(settings) == {"multiplier1", "multiplier2", "multiplier_output", "left_shift"}
