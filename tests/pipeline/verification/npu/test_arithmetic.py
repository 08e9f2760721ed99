# SPDX-License-Identifier: Apache-2.0
"""Rescaling, against TFLite's functions and against fractions."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dimmer.firmware_gen.graph.fixed_point import multiply_by_quantized_multiplier
from dimmer.pipeline.verification.npu.arithmetic import NATURAL, TFL, TRUNCATE, count_leading_zeros, rescale
from dimmer.pipeline.verification.npu.errors import NpuModelError

SUMS = st.integers(-(2**26), 2**26)


def one(value: int, scale: int, shift: int, rounding: int) -> int:
    return int(rescale(np.array([value]), scale, shift, rounding)[0])


@given(SUMS, st.integers(2**30, 2**31 - 1), st.integers(-20, 4))
def test_tfl_is_tflites(value: int, scale: int, exponent: int) -> None:
    assert one(value, scale, 31 - exponent, TFL) == multiply_by_quantized_multiplier(value, scale, exponent)


@given(SUMS, st.integers(1, 2**31 - 1), st.integers(0, 60))
def test_natural_rounds_halves_up_and_truncate_to_zero(value: int, scale: int, shift: int) -> None:
    exact = Fraction(value * scale, 2**shift)
    assert one(value, scale, shift, NATURAL) == floor(exact + Fraction(1, 2))
    assert one(value, scale, shift, TRUNCATE) == int(exact)


def test_a_product_that_is_too_large_and_another_rounding_are_told() -> None:
    with pytest.raises(NpuModelError, match="63 bits"):
        one(2**40, 2**31, 31, TFL)
    with pytest.raises(NpuModelError, match="rounding 3"):
        one(1, 1, 1, 3)


@given(st.integers(-(2**31), 2**31 - 1))
def test_leading_zeros(value: int) -> None:
    assert int(count_leading_zeros(np.array([value]))[0]) == (0 if value < 0 else 32 - value.bit_length())
