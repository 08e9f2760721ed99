# SPDX-License-Identifier: Apache-2.0
"""Functions of one code; against the interpreter in `tests/firmware_gen/test_operators.py`."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dimmer.firmware_gen.graph.fixed_point import RangeError
from dimmer.firmware_gen.graph.options import Lookup
from dimmer.firmware_gen.graph.types import Quantisation
from dimmer.firmware_gen.graph.unary import float_table, signed_multiplier, unary_table


def q(scale: float, zero_point: int = 0) -> Quantisation:
    return Quantisation((scale,), (zero_point,))


def codes(function: str, source: Quantisation, output: Quantisation, parameter: float = 0.0) -> list[int]:
    return [int(code) for code in np.frombuffer(unary_table(Lookup(function, parameter), source, output), np.int8)]


@pytest.mark.parametrize(
    ("function", "exact"),
    [
        ("TANH", math.tanh),
        ("EXP", math.exp),
        ("HARD_SWISH", lambda x: x * min(max(x + 3, 0), 6) / 6),
        ("GELU", lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2),
        ("GELU_APPROXIMATED", lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2),
        ("ABS", abs),
        ("LEAKY_RELU", lambda x: x if x >= 0 else 0.25 * x),
        ("RELU_0_TO_1", lambda x: min(max(x, 0), 1)),
    ],
)
def test_a_table_is_the_function_within_a_step(function: str, exact: object) -> None:
    assert callable(exact)
    found = codes(function, q(0.015625, 10), q(0.0625, -20), 0.25)
    for code, value in zip(range(-128, 128), found, strict=True):
        assert abs((value + 20) * 0.0625 - exact((code - 10) * 0.015625)) < 0.1


def test_roots_and_logarithms_of_what_has_none() -> None:
    assert codes("LOG", q(0.1, 3), q(0.1))[:132] == [-128] * 132
    assert codes("RSQRT", q(0.1, 3), q(0.1))[:132] == [127] * 132
    assert codes("SQRT", q(1.0), q(1.0, 5))[:129] == [5] * 129
    assert codes("SQRT", q(1.0), q(1.0))[128 + 8] == 2  # cut, not rounded


def test_neg_is_of_the_codes_alone() -> None:
    assert codes("NEG", q(0.1, 3), q(0.7, -9)) == [-128, *(-code for code in range(-127, 128))]


def test_results_that_the_interpreter_casts_beyond_32_bits_are_told() -> None:
    with pytest.raises(RangeError, match=r"its result for code 72 is 1\.3132e\+09 steps"):
        codes("EXP", q(0.25), q(0.05))
    with pytest.raises(RangeError, match="is inf steps"):
        float_table(math.exp, q(100.0), q(0.05))
    with pytest.raises(RangeError, match="128 times the output's"):
        codes("HARD_SWISH", q(1.0), q(0.001))


def test_a_factor_may_be_negative() -> None:
    assert signed_multiplier(-0.5) == (-(1 << 30), 0)


def test_scales_that_the_interpreter_shifts_out_of_32_bits_are_told() -> None:
    """It wrapped, and a table that does not would have been of other codes."""
    for function in ("ABS", "LEAKY_RELU", "RELU_0_TO_1"):
        codes(function, q(2.0**22), q(1.0), 0.5)
        with pytest.raises(RangeError, match="so large beside the output's that TFLite shifts"):
            codes(function, q(2.0**25), q(1.0), 0.5)
