# SPDX-License-Identifier: Apache-2.0
"""ADD by tables of parts of the output: whether two of them add up to what ADD gives, for every two codes."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from dimmer.firmware_gen.graph.fixed_point import Codes, requantize, requantize_all
from dimmer.firmware_gen.lower.steps import Step
from dimmer.firmware_gen.variants.conv import number

PLACES = range(24, 13, -1)
FIELDS = (
    *("multiplier1", "shift1", "zero_point1", "multiplier2", "shift2", "zero_point2", "left_shift"),
    *("multiplier_output", "shift_output", "output_zero_point", "activation_min", "activation_max"),
)


def places_of(step: Step, prefix: str = "", *, subtract: bool = False) -> int:
    """Bits behind the point of the tables' entries with which every sum is exact; 0 where none were found.

    Args:
        prefix: of the fields of ADD in the step's record.
        subtract: what the second table has is subtracted.
    """
    return _places(*(number(step, prefix + name) for name in FIELDS), subtract)


@lru_cache(maxsize=256)
def _places(
    multiplier1: int,
    shift1: int,
    zero_point1: int,
    multiplier2: int,
    shift2: int,
    zero_point2: int,
    left_shift: int,
    multiplier: int,
    shift: int,
    zero_point: int,
    low: int,
    high: int,
    subtract: bool,
) -> int:
    first = _inputs(multiplier1, shift1, zero_point1, left_shift)
    second = _inputs(multiplier2, shift2, zero_point2, left_shift)
    sign = -1 if subtract else 1
    wanted = np.clip(requantize_all(first[:, None] + sign * second[None, :], multiplier, shift) + zero_point, low, high)
    for places in PLACES:
        right = 31 - shift - places
        if right < 1:
            continue
        parts = [(x * multiplier + (1 << (right - 1))) >> right for x in (first, second)]
        parts[1] *= sign
        parts[0] += (1 << (places - 1)) + zero_point * (1 << places)
        sums = parts[0][:, None] + parts[1][None, :]
        if max(np.abs(part).max() for part in (*parts, sums)) >= 2**31:
            continue
        if np.array_equal(np.clip(sums >> places, low, high), wanted):
            return places
    return 0


def _inputs(multiplier: int, shift: int, zero_point: int, left_shift: int) -> Codes:
    """What each of the 256 codes adds before the sum is rescaled."""
    return np.array([requantize((code - zero_point) << left_shift, multiplier, shift) for code in range(-128, 128)])
