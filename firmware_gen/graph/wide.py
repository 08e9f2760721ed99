# SPDX-License-Identifier: Apache-2.0
"""Tables and factors of activations of 16 bits, exactly as TFLite computes them.

Sources: tensorflow/lite/kernels/activations.cc, internal/common.h (LUTPopulate, sigmoid_table_uint16).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from dimmer.firmware_gen.graph import fixed_point as fp

STEPS = 512
LOWEST, HIGHEST = -(2**15), 2**15 - 1


def sigmoid_table() -> tuple[int, ...]:
    """sigmoid(i / 24) for 256 i, 65536 for 1, each moved by half of what the middle to the next is off."""

    def sigmoid(place: float) -> float:
        return 65536 / (1 + math.exp(-place / 24))

    entries = [round(sigmoid(i) + (sigmoid(i + 0.5) - (sigmoid(i) + sigmoid(i + 1)) / 2) / 2) for i in range(255)]
    return (*entries, 65535)


def sigmoid_scaling(scale: float, *, hyperbolic: bool) -> tuple[int, int]:
    """Multiplier and right shift that bring an input to 1/12288.

    Raises:
        RangeError: products would leave 32 bits.
    """
    fraction, exponent = math.frexp(scale)
    left = 12 + exponent - 1
    if fraction == 0.5 and left in ((0, 1) if hyperbolic else (0,)):
        return 3 << left, 0
    multiplier, shift = scale * 4096.0 * 3.0, 0
    while multiplier <= 32767.0 / 2.0 and shift <= 30:
        shift += 1
        multiplier *= 2.0
    if multiplier >= 1 << 15 or shift > 30:
        raise fp.RangeError(f"the scale {scale:g} of its input is too far from 1/4096")
    return int(multiplier), shift


def softmax_scaling(beta: float, scale: float) -> tuple[int, int]:
    """Multiplier and shift that bring a difference to 10/65535."""
    return fp.quantize_multiplier(scale * float(np.float32(beta)) / (10.0 / 65535.0))


def exponentials() -> tuple[int, ...]:
    """Exp over -10..0, 32768 for 1."""
    return interpolated(lambda value: np.float32(math.exp(value)), np.float32(10.0 / 65535), HIGHEST)


def reciprocals() -> tuple[int, ...]:
    """1 / (1 + x) over 0..1, 32768 for 1."""
    return interpolated(lambda value: np.float32(1) / (np.float32(1) + value), np.float32(1.0 / 65535), LOWEST)


def interpolated(function: Callable[[np.float32], np.float32], scale: np.float32, zero_point: int) -> tuple[int, ...]:
    """513 entries between which a kernel interpolates, each moved by half of what the middle to the next is off."""
    first, last = scale * np.float32(LOWEST - zero_point), scale * np.float32(HIGHEST - zero_point)
    unit = np.float32(2.0 / 65535)
    low, high = unit * np.float32(LOWEST), unit * np.float32(HIGHEST)
    step = (last - first) / np.float32(STEPS)
    half, inverse = step / np.float32(2), np.float32(65536) / (high - low)
    entries = []
    for index in range(STEPS):
        place = first + np.float32(index) * step
        here, middle = function(place) * inverse, function(place + half) * inverse
        there = function(first + np.float32(index + 1) * step) * inverse
        sample = fp.round_half_away(float(here))
        error = fp.round_half_away(float((there + np.float32(sample)) / np.float32(2))) - fp.round_half_away(
            float(middle)
        )
        entries.append(sample - fp.round_half_away(error / 2))
    entries.append(fp.round_half_away(float(function(last) * inverse)))
    return tuple(max(LOWEST, min(HIGHEST, entry)) for entry in entries)
