# SPDX-License-Identifier: Apache-2.0
"""FULLY_CONNECTED that rescales in fixed point, with its weights straight from flash.

TFLite's reference rescales in double, about 120 instructions an output on a core without doubles. Both ways are
monotone in the sum, so they are equal where each code begins at the same sum; that is compared here, code by code, for
the scale, the zero point and the largest sum of the layer.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable

import numpy as np

from dimmer.firmware_gen.kernels.dsp import FULLY_CONNECTED_DSP
from dimmer.firmware_gen.kernels.portable import FULLY_CONNECTED, FULLY_CONNECTED_FIXED
from dimmer.firmware_gen.kernels.words import FULLY_CONNECTED_WORDS
from dimmer.firmware_gen.lower.steps import Params, Step, Weights
from dimmer.firmware_gen.variants.conv import number
from dimmer.firmware_gen.variants.frame import Settings, Variant
from dimmer.firmware_gen.variants.latency import RESCALED, Products

SHIFTS = range(1, 23)
CANDIDATES = (0, 1, -1, 2, -2)
"""How far from the nearest multiplier one is looked for."""


def fixed_rescale(scale: float, zero_point: int, low: int, high: int, largest: int) -> tuple[int, int, int] | None:
    """Multiplier, start and shift with which `dimmer_rescale_fixed` gives clamp(round(x * scale) + zero_point) for
    every |x| <= largest; None where none were found.
    """
    fraction, exponent = math.frexp(scale)
    shift = -1 - exponent
    if shift not in SHIFTS or largest >= 2**30:
        return None
    codes = list(range(low + 1, high + 1))
    wanted = _first_sums(scale, [code - zero_point for code in codes])
    start = (1 << (shift - 1)) + (zero_point << shift)
    for distance in CANDIDATES:
        multiplier = round(fraction * 2**31) + distance
        if not 0 < multiplier < 2**31:
            continue
        # The smallest x with start + ((x * multiplier) >> 32) >= code * 2^shift.
        found = [-(-(((code << shift) - start) << 32) // multiplier) for code in codes]
        if all(_capped(a, largest) == _capped(b, largest) for a, b in zip(found, wanted, strict=True)):
            return multiplier, start, shift
    return None


def _capped(first: int, largest: int) -> int:
    """Beyond the possible sums it is all one where a code begins."""
    return max(-largest, min(largest + 1, first))


def _first_sums(scale: float, results: list[int]) -> list[int]:
    """For each result the smallest x for which x * scale, in double, rounds to it or to more."""
    wanted = np.array(results, dtype=np.float64)
    x = np.floor((wanted - 0.5) / scale) - 2
    for _ in range(5):
        x += _rounded(x * scale) < wanted
    assert (_rounded(x * scale) >= wanted).all()
    assert (_rounded((x - 1) * scale) < wanted).all()
    return [int(value) for value in x]


def _rounded(
    values: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Halves away from zero, as std::round."""
    whole = np.floor(np.abs(values))
    return np.asarray(np.copysign(whole + (np.abs(values) - whole >= 0.5), values))


def _scales(step: Step) -> tuple[float, ...]:
    value = step.fields["scales"]
    assert isinstance(value, Params)
    return struct.unpack(f"<{len(value.values) // 2}d", struct.pack(f"<{len(value.values)}i", *value.values))


def _largest_sums(step: Step) -> list[int]:
    """For each scale, no sum of one of its channels is larger, bias included."""
    bias = step.fields["bias"]
    assert isinstance(bias, Params)
    sums = np.abs(np.array(bias.values, dtype=np.int64)) + 128 * np.abs(_codes(step)).sum(axis=1)
    return [int(value) for value in sums] if number(step, "per_channel") else [int(sums.max())]


def _rescales(step: Step) -> Params | None:
    low, high = number(step, "activation_min"), number(step, "activation_max")
    found = [
        fixed_rescale(scale, number(step, "output_zero_point"), low, high, largest)
        for scale, largest in zip(_scales(step), _largest_sums(step), strict=True)
    ]
    known = [rescale for rescale in found if rescale is not None]
    return Params(tuple(value for rescale in known for value in rescale)) if len(known) == len(found) else None


def _supports(step: Step) -> bool:
    return _rescales(step) is not None


def _settings(step: Step) -> Iterable[Settings]:
    rescales = _rescales(step)
    return [] if rescales is None else [{"scales": rescales}]


def _whole_words(step: Step) -> bool:
    return number(step, "input_c") % 4 == 0 and _supports(step)


def _padded(step: Step) -> int:
    return -(-number(step, "input_c") // 8) * 8


def halfwords(codes: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Weights | None:
    """Weights int64[channels,inputs] as `dimmer_fully_connected_s8_dsp` has them; None where two do not fit a halfword
    or the sums of a channel an accumulator.
    """
    channels, depth = codes.shape
    padded = np.zeros((channels + channels % 2, -(-depth // 8) * 8), dtype=np.int64)
    padded[:channels, :depth] = codes
    both = 256 * padded[0::2] + padded[1::2]
    if both.min() < -(2**15) or 256 * 128 * np.abs(codes).sum(axis=1).max() >= 2**31 - 2**24:
        return None
    ordered = both.reshape(len(both), -1, 4)[:, :, [0, 2, 1, 3]].reshape(both.shape)
    return Weights(ordered.astype("<i2").tobytes(), (*both.shape, 2))


def _codes(step: Step) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    weights = step.fields["weights"]
    assert isinstance(weights, Weights)
    return np.frombuffer(weights.data, dtype=np.int8).astype(np.int64).reshape(weights.shape)


def _dsp_supports(step: Step) -> bool:
    return _whole_words(step) and halfwords(_codes(step)) is not None


def _dsp_settings(step: Step) -> Iterable[Settings]:
    weights = halfwords(_codes(step))
    return [] if weights is None else [{**settings, "weights": weights} for settings in _settings(step)]


def _dsp_scratch(step: Step, _settings: Settings) -> int:
    return 2 * _padded(step)


def _outputs(step: Step) -> int:
    return number(step, "rows") * number(step, "output_c")


def _dsp_cost(step: Step, _settings: Settings) -> float:
    return 1.41 * step.macs + 26 * _outputs(step) + number(step, "rows") * (2.5 * number(step, "input_c") + 150)


def _words(feature: str, per_mac: float, output: float) -> Variant:
    """For an instruction set: instructions of a product and of an output."""

    def cost(step: Step, _settings: Settings) -> float:
        widened = number(step, "rows") * number(step, "input_c")
        return per_mac * step.macs + output * _outputs(step) + 5 * widened

    return Variant(
        FULLY_CONNECTED_WORDS,
        FULLY_CONNECTED,
        frozenset({feature, "words"}),
        cost,
        _whole_words,
        _settings,
        lambda step, _settings: 4 * number(step, "input_c"),
        products=lambda step, _settings: Products(step.macs) + RESCALED[feature].times(_outputs(step)),
    )


def _products(per_output: Products) -> Callable[[Step, Settings], Products]:
    """Of a kernel for any core, whose rescaling takes so many at most."""
    return lambda step, _settings: Products(step.macs) + per_output.times(_outputs(step))


VARIANTS = (
    Variant(
        FULLY_CONNECTED,
        FULLY_CONNECTED,
        frozenset(),
        lambda step, _settings: 6.5 * step.macs + 160 * _outputs(step),
        products=_products(Products(words=8, high=2)),
    ),
    Variant(
        FULLY_CONNECTED_FIXED,
        FULLY_CONNECTED,
        frozenset(),
        lambda step, _settings: 6.5 * step.macs + 60 * _outputs(step),
        _supports,
        _settings,
        products=_products(Products(words=4, high=1)),
    ),
    Variant(
        FULLY_CONNECTED_DSP,
        FULLY_CONNECTED,
        frozenset({"dsp"}),
        _dsp_cost,
        _dsp_supports,
        _dsp_settings,
        _dsp_scratch,
    ),
    _words("thumb1", 4.3, 60),
    _words("thumb2", 2.25, 30),
)
