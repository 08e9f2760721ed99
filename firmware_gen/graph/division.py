# SPDX-License-Identifier: Apache-2.0
"""Divisions by a constant code as tables of 256, exactly as TFLite computes them.

Sources: tensorflow/lite/kernels/internal/reference/div.h (DivElementwise), internal/common.h (GetReciprocal) and
    gemmlowp's one_over_one_plus_x_for_x_in_0_1.
"""

from __future__ import annotations

from dimmer.firmware_gen.graph import fixed_point as fp
from dimmer.firmware_gen.graph.types import Quantisation

CODES = range(-128, 128)


def floor_division_table(divisor: int) -> bytes:
    """FLOOR_DIV of each of the codes -128..127, of the codes themselves.

    Raises:
        RangeError: the divisor is 0, or a quotient is no code.
    """
    if divisor == 0:
        raise fp.RangeError("it divides by 0")
    if divisor == -1:
        raise fp.RangeError("-128 divided by -1 is no code")
    return bytes(code // divisor & 0xFF for code in CODES)


def division_table(source: Quantisation, divisor: Quantisation, output: Quantisation, code: int) -> bytes:
    """DIV of each of the codes -128..127 by one code.

    Raises:
        RangeError: it divides by 0, or TFLite shifts by more than 31 bits, of which the result is undefined.
    """
    below = code - divisor.zero_point
    if below == 0:
        raise fp.RangeError("it divides by 0")
    multiplier, shift = fp.quotient_multiplier(source, divisor, output)
    size = abs(below).bit_length()
    reciprocal = reciprocal_of_one_plus((abs(below) << (32 - size)) - (1 << 31))
    made = []
    for value in (number - source.zero_point for number in CODES):
        dividend = value if below > 0 else -value
        headroom = 31 - (dividend if dividend >= 0 else -dividend - 1).bit_length()
        total = shift - (size - 1) - headroom
        if not -31 <= total <= 0:
            raise fp.RangeError(
                f"TFLite shifts by {-total} bits of 0 to 31 for code {value + source.zero_point}, so that its result "
                "depends on the processor; multiply by a constant"
            )
        quotient = high_mul(dividend << headroom, reciprocal)
        scaled = fp.requantize(quotient, multiplier, total) + output.zero_point
        made.append(max(-128, min(127, scaled)) & 0xFF)
    return bytes(made)


def high_mul(a: int, b: int) -> int:
    """`SaturatingRoundingDoublingHighMul` of int32, of which no two factors are both the lowest value."""
    total = a * b
    total += 1 << 30 if total >= 0 else 1 - (1 << 30)
    return total >> 31 if total >= 0 else -(-total >> 31)


def reciprocal_of_one_plus(x: int) -> int:
    """1 / (1 + x) in Q0.31 for x in Q0.31, 0 <= x < 1, in three Newton steps."""
    half = (x + (1 << 31)) >> 1
    y = 1515870810 + high_mul(half, -1010580540)
    for _ in range(3):
        y += high_mul(y, (1 << 29) - high_mul(half, y)) * 4
    return min(y * 2, fp.INT32_MAX)
