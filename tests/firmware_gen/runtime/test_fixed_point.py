# SPDX-License-Identifier: Apache-2.0
"""dimmer_fixed_point.h against gemmlowp's definitions, written with Python's unbounded integers."""

import ctypes
import math
import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.firmware_gen.runtime.c_library import compile_c

INT32_MAX = 2**31 - 1
EDGES = [0, 1, -1, 2, -2, 3, -3, 2**30, -(2**30), 2**30 - 1, INT32_MAX, INT32_MAX - 1, -INT32_MAX, -(2**31)]

SOURCE = """
#include "dimmer_fixed_point.h"
int32_t high_mul(int32_t a, int32_t b);
int32_t rounding_shift(int32_t x, int exponent);
int32_t requantize(int32_t x, int32_t multiplier, int shift);
int32_t exp_on_negative(int32_t x, int integer_bits);
int32_t reciprocal(int32_t x);
int8_t clamp(int32_t x, int32_t low, int32_t high);
int32_t scale_in_double(int32_t x, const int32_t *scale);
int32_t high_mul(int32_t a, int32_t b) { return dimmer_high_mul(a, b); }
int32_t rounding_shift(int32_t x, int exponent) { return dimmer_rounding_shift(x, exponent); }
int32_t requantize(int32_t x, int32_t multiplier, int shift) { return dimmer_requantize(x, multiplier, shift); }
int32_t exp_on_negative(int32_t x, int integer_bits) { return dimmer_exp_on_negative(x, integer_bits); }
int32_t reciprocal(int32_t x) { return dimmer_reciprocal_of_one_plus(x); }
int32_t scale_in_double(int32_t x, const int32_t *scale) { return dimmer_scale_in_double(x, scale); }
int8_t clamp(int32_t x, int32_t low, int32_t high) { return dimmer_clamp_s8(x, low, high); }
"""


@pytest.fixture(scope="module", params=["gcc", "clang"])
def fixed_point(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder: Path = tmp_path_factory.mktemp("fixed_point")
    source = folder / "shim.c"
    source.write_text(SOURCE)
    library = ctypes.CDLL(str(compile_c(request.param, [source], folder / "shim.so", "-shared", "-fPIC")))
    library.clamp.restype = ctypes.c_int8
    return library


def truncated(numerator: int, denominator: int) -> int:
    """C's division."""
    quotient = abs(numerator) // abs(denominator)
    return quotient if (numerator < 0) == (denominator < 0) else -quotient


def high_mul(a: int, b: int) -> int:
    """Gemmlowp's SaturatingRoundingDoublingHighMul."""
    product = a * b
    return truncated(product + (1 << 30 if product >= 0 else 1 - (1 << 30)), 1 << 31)


def rounding_shift(x: int, exponent: int) -> int:
    """Gemmlowp's RoundingDivideByPOT."""
    return (abs(x) + (1 << exponent >> 1) >> exponent) * (1 if x >= 0 else -1)


def wrapped(x: int) -> int:
    return (x + 2**31) % 2**32 - 2**31


def numbers(seed: int, count: int) -> list[int]:
    rng = np.random.default_rng(seed)
    words, shifts = rng.integers(-(2**31), 2**31, count), rng.integers(0, 31, count)
    return EDGES + [int(word) >> int(shift) for word, shift in zip(words, shifts, strict=True)]


def test_high_mul(fixed_point: ctypes.CDLL) -> None:
    for a in numbers(1, 300):
        for b in [x for x in numbers(2, 30) if x != -(2**31)]:
            assert fixed_point.high_mul(a, b) == high_mul(a, b), (a, b)


def test_rounding_shift_takes_halves_away_from_zero(fixed_point: ctypes.CDLL) -> None:
    for x in numbers(3, 300):
        for exponent in range(32):
            assert fixed_point.rounding_shift(x, exponent) == rounding_shift(x, exponent), (x, exponent)


def test_requantize_is_multiply_by_quantized_multiplier(fixed_point: ctypes.CDLL) -> None:
    multipliers = [0, 1, 2**30, 2**30 + 1, INT32_MAX, 1518500250]
    for x in numbers(4, 200):
        for multiplier in multipliers:
            for shift in range(-31, 31):
                expected = rounding_shift(high_mul(wrapped(x << max(shift, 0)), multiplier), max(-shift, 0))
                assert fixed_point.requantize(x, multiplier, shift) == expected, (x, multiplier, shift)


def test_clamp(fixed_point: ctypes.CDLL) -> None:
    for low, high in [(-128, 127), (-128, -113), (0, 0), (-5, 127)]:
        for x in [*numbers(5, 100), low - 1, low, high, high + 1]:
            assert fixed_point.clamp(x, low, high) == min(max(x, low), high)


def scaled_in_double(x: int, scale: float) -> int:
    """`std::round` of the product of two doubles."""
    product = Fraction(x * scale)
    return math.floor(abs(product) + Fraction(1, 2)) * (1 if product >= 0 else -1)


def scales_near_halves(rng: np.random.Generator) -> list[tuple[int, float]]:
    """Products that lie next to a half, or on it, in double."""
    found = []
    for _ in range(3000):
        x = int(rng.integers(1, 2 ** int(rng.integers(1, 31))))
        scale = (int(rng.integers(0, 130)) + 0.5) / x
        found += [(x, scale), (-x, np.nextafter(scale, 0.0)), (x, np.nextafter(scale, 1e9)), (x, scale / 2)]
    return found


def test_scale_in_double_is_what_a_processor_with_doubles_does(fixed_point: ctypes.CDLL) -> None:
    rng = np.random.default_rng(6)
    cases = scales_near_halves(rng)
    cases += [(x, float(rng.uniform(0.5, 1) * 2.0**e)) for x in numbers(7, 300)[:-1] for e in range(-40, 8, 3)]
    for x, scale in cases:
        expected = scaled_in_double(x, float(scale))
        if x == -(2**31) or abs(expected) >= 2**30:
            continue
        words = (ctypes.c_int32 * 2)(*struct.unpack("<2i", struct.pack("<d", scale)))
        assert fixed_point.scale_in_double(x, words) == expected, (x, scale)


@pytest.mark.parametrize("integer_bits", [4, 5])
def test_exp_is_near_exp(fixed_point: ctypes.CDLL, integer_bits: int) -> None:
    scale = 2.0 ** (31 - integer_bits)
    for x in np.linspace(-(2**31), 0, 500, dtype=np.int64):
        assert abs(fixed_point.exp_on_negative(int(x), integer_bits) / 2**31 - math.exp(x / scale)) < 3e-7


def test_reciprocal_is_near_the_reciprocal(fixed_point: ctypes.CDLL) -> None:
    for x in np.linspace(0, INT32_MAX, 500, dtype=np.int64):
        assert abs(fixed_point.reciprocal(int(x)) / 2**31 - 1 / (1 + x / 2**31)) < 1e-6
