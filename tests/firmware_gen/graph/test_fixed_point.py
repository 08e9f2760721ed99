# SPDX-License-Identifier: Apache-2.0
"""Fixed-point parameters against values worked out by hand."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dimmer.firmware_gen.graph.fixed_point import (
    RangeError,
    activation_range,
    convolution_multipliers,
    double_words,
    logistic_table,
    mean_multiplier,
    quantize_multiplier,
    quantize_multiplier_below_one,
    requantize,
    requantize_all,
    round_half_away,
    softmax_scaling,
)
from dimmer.firmware_gen.graph.types import Activation, Quantisation

UNIT = Quantisation((1 / 256,), (-128,))


@pytest.mark.parametrize(
    ("real", "expected"),
    [
        (1.0, (1 << 30, 1)),
        (0.5, (1 << 30, 0)),
        (0.75, (3 << 29, 0)),
        (0.0, (0, 0)),
        (2.0**-40, (0, 0)),
        (1 - 2.0**-40, (1 << 30, 1)),
        (2.0**29, (1 << 30, 30)),
    ],
)
def test_quantize_multiplier(real: float, expected: tuple[int, int]) -> None:
    assert quantize_multiplier(real) == expected


@given(st.floats(2.0**-30, 2.0**29))
def test_a_multiplier_is_within_half_a_unit(real: float) -> None:
    multiplier, shift = quantize_multiplier(real)
    assert 2**30 <= multiplier < 2**31
    assert abs(multiplier * 2.0 ** (shift - 31) / real - 1) <= 2.0**-31


@pytest.mark.parametrize("real", [2.0**31, float("inf"), float("nan"), -1.0])
def test_factors_out_of_range_are_refused(real: float) -> None:
    with pytest.raises(RangeError):
        quantize_multiplier(real)


@pytest.mark.parametrize("real", [0.0, 1.0, 1 - 2.0**-40, 3.0])
def test_factors_that_the_interpreter_aborts_on_are_refused(real: float) -> None:
    with pytest.raises(RangeError):
        quantize_multiplier_below_one(real)


@pytest.mark.parametrize(("value", "expected"), [(0.5, 1), (-0.5, -1), (2.5, 3), (-2.5, -3), (2.4, 2), (-2.6, -3)])
def test_halves_round_away_from_zero(value: float, expected: int) -> None:
    assert round_half_away(value) == expected


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        (Activation.NONE, (-128, 127)),
        (Activation.RELU, (-10, 127)),
        (Activation.RELU6, (-10, 50)),
        (Activation.RELU_N1_TO_1, (-20, 0)),
    ],
)
def test_activation_ranges(activation: Activation, expected: tuple[int, int]) -> None:
    assert activation_range(activation, Quantisation((0.1,), (-10,))) == expected


def test_the_mean_of_four() -> None:
    same = Quantisation((0.1,), (0,))
    assert mean_multiplier(same, same, 4) == (1 << 30, -1)


def test_softmax_of_a_tiny_scale_is_refused() -> None:
    with pytest.raises(RangeError):
        softmax_scaling(1.0, 1e-9)


def test_softmax_scaling() -> None:
    assert softmax_scaling(1.0, 1 / 16) == (1 << 30, 23, -(31 << 26 >> 23))


@pytest.mark.parametrize("scale", [1e-30, 0.05, 4.83, 1e30])
def test_the_logistic_table_rises_from_zero_to_one(scale: float) -> None:
    table = [code - 256 if code > 127 else code for code in logistic_table(Quantisation((scale,), (3,)), UNIT)]
    assert table == sorted(table)
    assert table[128 + 3] == 0


@given(st.lists(st.floats(allow_nan=False), max_size=4))
def test_doubles_are_stored_low_word_first(values: list[float]) -> None:
    words = double_words(values)
    assert list(struct.unpack(f"<{len(values)}d", struct.pack(f"<{len(words)}i", *words))) == values


@pytest.mark.parametrize(
    ("value", "factor", "expected"), [(6, 0.25, 2), (-6, 0.25, -2), (3, 0.5, 2), (-3, 0.5, -1), (7, 8.0, 56)]
)
def test_requantize_rounds_halves_of_a_right_shift_away_from_zero_and_others_up(
    value: int, factor: float, expected: int
) -> None:
    assert requantize(value, *quantize_multiplier(factor)) == expected


@pytest.mark.parametrize("shift", [0, -1, -7, -18, -31])
def test_many_are_requantised_as_one_is(shift: int) -> None:
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.integers(-(2**31) + 1, 2**31, 500), np.arange(-40, 40), [2**31 - 1, 1 - 2**31]])
    for multiplier in (1 << 30, 1518500249, 2**31 - 1):
        wanted = [requantize(int(value), multiplier, shift) for value in values]
        assert requantize_all(values, multiplier, shift).tolist() == wanted


def test_scales_of_uint8_are_multiplied_in_float32() -> None:
    source, weights, output = (Quantisation((scale,), (0,)) for scale in (0.1, 0.3, 0.7))
    exact = convolution_multipliers(source, weights, output, 1)
    rounded = convolution_multipliers(source, weights, output, 1, unsigned=True)
    assert exact == tuple((value,) for value in quantize_multiplier(0.1 * 0.3 / 0.7))
    assert rounded == tuple((v,) for v in quantize_multiplier(float(np.float32(0.1) * np.float32(0.3)) / 0.7))
    assert rounded != exact
