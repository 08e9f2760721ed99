# SPDX-License-Identifier: Apache-2.0
"""Requantising with one product of a sum that is scaled by 256, and one shift that all channels share.

TFLite rounds twice; what it gives is monotone in the sum, so that a layer is the same where every code begins at the
same sum. The kernel computes, with v = 256 * sum of products + offset,

    clamp((v * multiplier >> 32) >> down)

The offset holds the bias, the zero point, and in its low bits what rounding takes. Negative sums are rounded by TFLite
another way: where they matter, v has the sign of the sum, `step` is taken from a v that is negative, and the code is

    clamp((zero_point * 2^down + 2^(down - 1) + (v * multiplier >> 32)) >> down)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from dimmer.firmware_gen.lower.steps import Params, Shifts, Step
from dimmer.firmware_gen.variants.conv import number, product_sums

SCALE = 256
LARGEST = 2**23 - 8
"""No sum, bias included, may be larger: v fits 32 bits."""
_CHUNK = 64
_CHUNKS = 128
"""How many multipliers beside the nearest one are tried, the near ones first."""

Thresholds = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Rescale:
    """How one channel is rescaled.

    Attributes:
        offset: of v beside 256 * bias; 0..255 where there may be a step, so that v has the sign of the sum.
        step: what negative sums lose.
    """

    multiplier: int
    offset: int
    step: int


def first_sums(multiplier: int, shift: int, steps: Thresholds) -> Thresholds:
    """The smallest sum, bias included, for which TFLite gives the zero point + each of `steps`, or more.

    Args:
        multiplier: Q0.31, above 0.
        shift: TFLite's, below 0.
        steps: int64[n].
    """
    high = steps * 2**-shift - 2 ** (-shift - 1) + (steps <= 0)
    exact = [-(-((int(value) << 31) - (1 << 30)) // multiplier) for value in high]
    return np.array(exact, dtype=np.int64)


@cache
def rescale_of(
    multiplier: int, shift: int, largest: int, zero_point: int, low: int, high: int, down: int, one_rounding: bool
) -> Rescale | None:
    """How to give TFLite's codes for every |sum| <= largest, clamped to [low, high]; None where nothing was found.

    Args:
        down: bits that the kernel shifts out behind the product.
        one_rounding: whether the kernel has no steps.
    """
    if not (multiplier > 0 and -31 <= shift < 0 and largest <= LARGEST and low <= high):
        return None
    steps = np.arange(low + 1 - zero_point, high + 1 - zero_point, dtype=np.int64)
    begins = first_sums(multiplier, shift, steps)
    # Beyond the possible sums it is all one where a code begins.
    kept = (begins > -largest) & (begins <= largest)
    steps, begins = steps[kept], begins[kept]
    bits = 7 - shift - down
    nearest = (multiplier + (1 << bits >> 1)) >> bits if bits >= 0 else multiplier << -bits
    for chunk in range(_CHUNKS):
        near = np.arange(chunk * _CHUNK, (chunk + 1) * _CHUNK, dtype=np.int64)
        tried = nearest + np.concatenate([near, -near - 1])
        tried = tried[(tried > 0) & (tried < 2**31)]
        if one_rounding:
            found = _with_zero_point(tried, steps + zero_point, begins, down, (2 * zero_point + 1, largest))
        else:
            found = _with_step(tried, steps, begins, down)
        if found is not None:
            return found
    return None


_FAR = 4 * SCALE
"""An offset is within this of the one without rounding."""


def _with_zero_point(
    multipliers: Thresholds, codes: Thresholds, begins: Thresholds, down: int, middle: tuple[int, int]
) -> Rescale | None:
    """The first of these multipliers for which there is an offset.

    Args:
        middle: twice the code of a sum of 0, and half a code, and the largest sum.
    """
    lowest, highest = _between(codes << (down + 32), multipliers, begins)
    twice, largest = middle
    near = (twice << (down + 31)) // multipliers
    least = np.maximum(lowest.max(axis=1, initial=-(2**62)), near - _FAR)
    most = np.minimum(highest.min(axis=1, initial=2**62), near + _FAR)
    good = np.flatnonzero((least <= most) & (np.maximum(-least, most) + SCALE * largest < 2**31))
    if not len(good):
        return None
    at = int(good[0])
    return Rescale(int(multipliers[at]), int(least[at] + most[at]) // 2, 0)


def _with_step(multipliers: Thresholds, steps: Thresholds, begins: Thresholds, down: int) -> Rescale | None:
    """The first of these multipliers for which there are an offset and a step."""
    lowest, highest = _between((2 * steps - 1) << (down + 31), multipliers, begins)
    # At the sum before, and from it on: of either sign.
    above, below = begins > 0, begins <= 0
    least = lowest[:, above].max(axis=1, initial=0)
    most = highest[:, above].min(axis=1, initial=SCALE - 1)
    negative_least = lowest[:, begins < 0].max(axis=1, initial=-_FAR)
    negative_most = highest[:, below].min(axis=1, initial=_FAR)
    good = np.flatnonzero((least <= most) & (negative_least <= negative_most))
    if not len(good):
        return None
    at = int(good[0])
    offset = int(least[at] + most[at]) // 2
    middle = min(max(offset, int(negative_least[at])), int(negative_most[at]))
    return Rescale(int(multipliers[at]), offset, offset - middle)


def _between(products: Thresholds, multipliers: Thresholds, begins: Thresholds) -> tuple[Thresholds, Thresholds]:
    """The least and the largest offset, int64[multipliers,codes], with which a product is reached at the sum where its
    code begins and not before.
    """
    firsts = -(-products // multipliers[:, None])
    return firsts - SCALE * begins, firsts - SCALE * (begins - 1) - 1


def rescales_of(step: Step, down: int, one_rounding: bool) -> tuple[Rescale, ...] | None:
    """How each channel of a convolution is rescaled; None where one cannot be. Arguments as of `rescale_of`."""
    bias, multipliers, shifts = step.fields["bias"], step.fields["multipliers"], step.fields["shifts"]
    assert isinstance(bias, Params)
    assert isinstance(multipliers, Params)
    assert isinstance(shifts, Shifts)
    largest = np.abs(np.array(bias.values, dtype=np.int64)) + product_sums(step)
    limits = (number(step, "output_zero_point"), number(step, "activation_min"), number(step, "activation_max"))
    found = []
    for multiplier, shift, most in zip(multipliers.values, shifts.values, largest.tolist(), strict=True):
        rescale = rescale_of(multiplier, shift, most, *limits, down, one_rounding)
        if rescale is None:
            return None
        found.append(rescale)
    return tuple(found)
