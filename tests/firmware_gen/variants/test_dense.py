# SPDX-License-Identifier: Apache-2.0
"""Rescaling in fixed point equals rescaling in double for every sum that a layer can have."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dimmer.firmware_gen.lower.steps import Step
from dimmer.firmware_gen.variants.dense import VARIANTS, fixed_rescale, halfwords
from tests.firmware_gen.lower.lowered import only
from tests.firmware_gen.tflite_builder import Layers
from tests.firmware_gen.variants.steps import named


def in_double(x: int, scale: float, zero_point: int) -> int:
    """As the reference: halves away from zero, clamped."""
    value = x * scale
    return max(-128, min(127, int(math.copysign(math.floor(abs(value) + 0.5), value)) + zero_point))


def in_fixed_point(x: int, multiplier: int, start: int, shift: int) -> int:
    """As `dimmer_rescale_fixed`."""
    return max(-128, min(127, (start + ((x * multiplier) >> 32)) >> shift))


@pytest.mark.parametrize("zero_point", [-128, -3, 90])
@pytest.mark.parametrize("scale", [0.0317, 0.005, 1 / 64, 3.1e-4])
def test_every_sum_gets_the_code_of_the_reference(scale: float, zero_point: int) -> None:
    found = fixed_rescale(scale, zero_point, -128, 127, 30_000)
    assert found is not None
    for x in range(-30_000, 30_001, 7):
        assert in_fixed_point(x, *found) == in_double(x, scale, zero_point)


@pytest.mark.parametrize(("scale", "largest"), [(2.0, 1000), (2.0**-30, 1000), (0.01, 2**30)])
def test_scales_and_sums_out_of_reach_are_left_to_double(scale: float, largest: int) -> None:
    assert fixed_rescale(scale, 0, -128, 127, largest) is None


def test_ties_that_double_rounds_up_and_down_are_left_to_double() -> None:
    assert 5_000 * 3e-4 < 1.5
    assert 15_000 * 3e-4 == 4.5
    assert fixed_rescale(3e-4, 0, -128, 127, 30_000) is None


def test_two_channels_share_a_halfword() -> None:
    codes = np.array([[1, 2, 3, 4, 5], [-1, 0, 1, 0, -1], [7, 7, 7, 7, 7]])
    packed = halfwords(codes)
    assert packed is not None
    pairs = np.frombuffer(packed.data, "<i2").reshape(2, 8)
    # Of four neighbours the middle ones change places.
    assert pairs[0].tolist() == [256 - 1, 3 * 256 + 1, 2 * 256, 4 * 256, 5 * 256 - 1, 0, 0, 0]
    assert pairs[1].tolist() == [7 * 256] * 5 + [0] * 3
    assert packed.shape == (2, 8, 2)


def test_weights_whose_pairs_or_sums_overflow_are_left_alone() -> None:
    assert halfwords(np.full((2, 4), -128)) is None
    assert halfwords(np.full((2, 511), 127)) is not None
    assert halfwords(np.full((2, 512), 127)) is None


def dense(depth: int) -> Step:
    net = Layers(0)
    x = net.activation([1, depth])
    return only(net, x, net.dense(x, 6))


def test_weights_are_read_by_words_where_there_are_whole_ones() -> None:
    fixed, words, dsp = (named(VARIANTS, f"fully_connected_s8_{name}") for name in ("fixed", "words", "dsp"))
    assert [variant.supports(dense(16)) for variant in (fixed, words, dsp)] == [True, True, True]
    assert [variant.supports(dense(15)) for variant in (fixed, words, dsp)] == [True, False, False]


def test_the_scales_become_multiplier_start_and_shift() -> None:
    step, variant = dense(16), named(VARIANTS, "fully_connected_s8_words")
    (settings,) = variant.settings(step)
    made = variant.apply(step, settings)
    assert made.fields["scales"] == settings["scales"] != step.fields["scales"]
    assert made.fields["weights"] == step.fields["weights"]
    assert made.scratch_bytes == 4 * 16
