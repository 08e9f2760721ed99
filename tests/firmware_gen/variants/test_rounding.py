# SPDX-License-Identifier: Apache-2.0
"""One product and one shift give the codes of TFLite's two roundings, for every sum that a channel can have."""

from __future__ import annotations

import numpy as np
import pytest

from dimmer.firmware_gen.graph.fixed_point import multiply_by_quantized_multiplier
from dimmer.firmware_gen.variants.rounding import LARGEST, SCALE, Rescale, first_sums, rescale_of, rescales_of
from tests.firmware_gen.variants.steps import conv

RESCALES = [(1359514674, -6), (2147314432, -8), (1074189536, -9), (1752461201, -11)]
REACH = [(0, -8, 1000), (1 << 30, 0, 1000), (1 << 30, -8, LARGEST + 1), (1 << 30, -2, 1000)]


def in_tflite(x: int, multiplier: int, shift: int, zero_point: int) -> int:
    return max(-128, min(127, multiply_by_quantized_multiplier(x, multiplier, shift) + zero_point))


def in_one_product(x: int, rescale: Rescale, zero_point: int, down: int, stepped: bool) -> int:
    """As `dimmer_paired_2x4_signed` where it is stepped, else as `dimmer_paired_2x4`."""
    v = SCALE * x + rescale.offset
    v -= rescale.step if v < 0 else 0
    assert abs(v) < 2**31
    start = (zero_point << down) + (1 << (down - 1)) if stepped else 0
    return max(-128, min(127, (start + (v * rescale.multiplier >> 32)) >> down))


@pytest.mark.parametrize("zero_point", [-128, 4, 38])
@pytest.mark.parametrize(("multiplier", "shift"), RESCALES)
def test_every_sum_gets_the_code_of_tflite(multiplier: int, shift: int, zero_point: int) -> None:
    largest = 60_000
    found = rescale_of(multiplier, shift, largest, zero_point, -128, 127, 11, zero_point == -128)
    assert found is not None
    stepped = zero_point != -128
    assert (found.step != 0) == stepped
    # About every beginning of a code, and here and there between.
    begins = first_sums(multiplier, shift, np.arange(-128 - zero_point, 128 - zero_point))
    near = {int(begin) + offset for begin in begins for offset in (-2, -1, 0, 1)}
    for x in (*(x for x in near if abs(x) <= largest), *range(-largest, largest + 1, 997)):
        assert in_one_product(x, found, zero_point, 11, stepped) == in_tflite(x, multiplier, shift, zero_point)


def test_a_code_begins_where_tflite_says() -> None:
    steps = np.array([-100, -1, 0, 1, 2, 100])
    for step, begin in zip(steps.tolist(), first_sums(1359514674, -7, steps).tolist(), strict=True):
        assert multiply_by_quantized_multiplier(begin, 1359514674, -7) >= step
        assert multiply_by_quantized_multiplier(begin - 1, 1359514674, -7) < step


@pytest.mark.parametrize(
    ("multiplier", "shift", "largest"),
    [(0, -8, 1000), (1 << 30, 0, 1000), (1 << 30, -8, LARGEST + 1), (1 << 30, -2, 1000)],
)
def test_what_is_out_of_reach_is_left_alone(multiplier: int, shift: int, largest: int) -> None:
    assert rescale_of(multiplier, shift, largest, -128, -128, 127, 11, False) is None


def test_negative_sums_need_a_step_where_they_have_codes() -> None:
    assert rescale_of(1359514674, -8, 60_000, 4, -128, 127, 11, True) is None
    assert rescale_of(1359514674, -8, 60_000, 4, 4, 127, 11, True) is not None


def test_the_zero_point_needs_room() -> None:
    # 127 and a half codes are 2,088,960 of the sum: with it, v leaves 32 bits.
    assert rescale_of(1 << 30, -13, LARGEST - 2_100_000, -128, -128, 127, 11, True) is not None
    assert rescale_of(1 << 30, -13, LARGEST - 2_000_000, -128, -128, 127, 11, True) is None


def test_a_layer_is_rescaled_where_every_channel_is() -> None:
    assert rescales_of(conv(output_zero_point=-128), 11, one_rounding=True) is not None
    assert rescales_of(conv(output_zero_point=-128, shift=-1), 11, one_rounding=True) is None
