# SPDX-License-Identifier: Apache-2.0
"""ADD as one linear function of both codes.

TFLite rounds four times; all the same its code is a function of 65,536 pairs of codes, and the kernel computes

    clamp((a * first + b * second + constant) >> DOWN)

where that has been compared for every pair.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from dimmer.firmware_gen.graph.fixed_point import requantize_all
from dimmer.firmware_gen.lower.steps import Step
from dimmer.firmware_gen.variants.conv import number
from dimmer.firmware_gen.variants.frame import Settings

DOWN = 21
_FIELDS = (
    *("multiplier1", "multiplier2", "multiplier_output", "shift1", "shift2", "shift_output", "left_shift"),
    *("zero_point1", "zero_point2", "output_zero_point", "activation_min", "activation_max"),
)
_REACH = 10
"""How far from the nearest factors others are tried."""


def linear_sum(step: Step, prefix: str = "") -> tuple[int, int, int] | None:
    """a, b and the constant of a step's ADD; None where none were found."""
    return _linear(*(number(step, prefix + name) for name in _FIELDS))


def linear_settings(step: Step, prefix: str = "") -> Settings:
    """The fields of a record that say so; nothing where there is no such function."""
    found = linear_sum(step, prefix)
    if found is None:
        return {}
    names = ("multiplier1", "multiplier2", "multiplier_output", "left_shift")
    return {prefix + name: value for name, value in zip(names, (*found, 0), strict=True)}


@cache
def _linear(
    multiplier1: int,
    multiplier2: int,
    multiplier_output: int,
    shift1: int,
    shift2: int,
    shift_output: int,
    left_shift: int,
    zero_point1: int,
    zero_point2: int,
    output_zero_point: int,
    low: int,
    high: int,
) -> tuple[int, int, int] | None:
    codes = np.arange(-128, 128, dtype=np.int64)
    first = requantize_all((codes - zero_point1) << left_shift, multiplier1, shift1)
    second = requantize_all((codes - zero_point2) << left_shift, multiplier2, shift2)
    both = first[:, None] + second[None, :]
    wanted = np.clip(requantize_all(both, multiplier_output, shift_output) + output_zero_point, low, high)
    above, below = wanted > low, wanted < high
    scale = 2.0 ** (left_shift + shift_output - 31) * multiplier_output * 2.0 ** (DOWN - 31)
    nearest = [round(m * 2.0**s * scale) for m, s in ((multiplier1, shift1), (multiplier2, shift2))]
    for one, other in _around():
        a, b = nearest[0] + one, nearest[1] + other
        products = a * codes[:, None] + b * codes[None, :]
        least = int(((wanted << DOWN) - products).max(initial=-(2**31), where=above))
        most = int((((wanted + 1) << DOWN) - 1 - products).min(initial=2**31 - 1, where=below))
        constant = (least + most) // 2
        if least <= most and 128 * (abs(a) + abs(b)) + abs(constant) < 2**31:
            return a, b, constant
    return None


def _around() -> Iterator[tuple[int, int]]:
    """Pairs of small numbers, the smallest first."""
    reach = range(-_REACH, _REACH + 1)
    return iter(sorted(((a, b) for a in reach for b in reach), key=lambda pair: (abs(pair[0]) + abs(pair[1]), pair)))
