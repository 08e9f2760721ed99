# SPDX-License-Identifier: Apache-2.0
"""Rescaling as the NPU does it: an integer times a scale, shifted right with one of three roundings.

Rounding `TFL` is that of TFLite's reference kernels: a saturating doubling high multiplication, rounded, then a shift,
rounded again, halves away from zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dimmer.pipeline.verification.npu.errors import NpuModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int64 = NDArray[np.int64]

TFL, TRUNCATE, NATURAL = 0, 1, 2
_EXACT = 2.0**62


def rescale(values: Int64, scale: int | Int64, shift: int | Int64, rounding: int) -> Int64:
    """The product of values and scale over 2^shift.

    Args:
        values: any shape.
        scale: below 2^32; a number, or one for each of the last dimension.
        shift: 0 to 63, as `scale`.

    Raises:
        NpuModelError: a product has more than 63 bits, which no operation of TFLite leads to, or the rounding is
            unknown.
    """
    scale, shift = np.asarray(scale, np.int64), np.asarray(shift, np.int64)
    product = _product(values, scale)
    if rounding == TFL:
        # A shift to the left before the high multiplication is one to the right less after it.
        high = _half_up(product, np.minimum(shift, 31))
        return _round_away(high, np.maximum(shift - 31, 0))
    if rounding == NATURAL:
        return _half_up(product, shift)
    if rounding == TRUNCATE:
        return np.asarray(np.sign(product) * (np.abs(product) >> shift))
    raise NpuModelError(f"the rounding {rounding} is none of Ethos-U's: compile the model again")


def _product(values: Int64, scale: Int64) -> Int64:
    """The product of values and scale, which has to fit 63 bits."""
    if float(np.abs(values).max(initial=0)) * float(scale.max()) >= _EXACT:
        raise NpuModelError("a product has more than 63 bits: the model of the NPU does not know what becomes of it")
    return np.asarray(values * scale)


def _half_up(product: Int64, shift: Int64) -> Int64:
    """The product over 2^shift, rounded to the nearest, halves up: what gemmlowp's nudge and truncation come to."""
    return np.asarray((product + ((np.int64(1) << shift) >> 1)) >> shift)


def _round_away(values: Int64, shift: Int64) -> Int64:
    """The values over 2^shift, rounded to the nearest, halves away from zero."""
    mask = (np.int64(1) << shift) - 1
    threshold = (mask >> 1) + (values < 0)
    return (values >> shift) + ((values & mask) > threshold)


def count_leading_zeros(values: Int64) -> Int64:
    """Of 32-bit numbers; 0 for negative ones."""
    bits = np.zeros_like(values)
    rest = np.where(values < 0, np.int64(1) << 31, values)
    for step in (16, 8, 4, 2, 1):
        large = rest >= np.int64(1) << step
        bits += np.where(large, step, 0)
        rest = np.where(large, rest >> step, rest)
    return 32 - bits - (rest > 0)
