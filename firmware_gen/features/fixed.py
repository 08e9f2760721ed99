# SPDX-License-Identifier: Apache-2.0
"""Integers as the C has them, of whole arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def product(x: Ints, w: Ints) -> Ints:
    """floor(x * w / 2^16)."""
    return np.asarray((x * w) >> 16, dtype=np.int64)


def requantize(x: Ints, multiplier: int, shift: int) -> Ints:
    """The product x * multiplier * 2^(shift - 31), rounded twice, as `dimmer_requantize` does."""
    if shift >= 0:
        return np.asarray(((x << shift) * multiplier + (1 << 30)) >> 31, dtype=np.int64)
    high = (x * multiplier + (1 << 30)) >> 31
    high = high - (high < 0)
    return np.asarray(((high >> (-shift - 1)) + 1) >> 1, dtype=np.int64)


def codes(values: Ints, multiplier: int, shift: int, zero_point: int) -> npt.NDArray[np.int8]:
    """Values as int8, saturated."""
    return np.clip(requantize(values, multiplier, shift) + zero_point, -128, 127).astype(np.int8)
