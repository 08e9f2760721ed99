# SPDX-License-Identifier: Apache-2.0
"""CONV_2D for Arm cores with the DSP extension whose weights lie in flash two channels in a halfword."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from dimmer.firmware_gen.kernels.dsp import CONV_2D_ADD_PAIRED_DSP, CONV_2D_PAIRED_DSP
from dimmer.firmware_gen.kernels.fused import CONV_2D_ADD
from dimmer.firmware_gen.kernels.portable import CONV_2D
from dimmer.firmware_gen.lower.steps import Params, Step, Weights
from dimmer.firmware_gen.variants.add_linear import linear_settings
from dimmer.firmware_gen.variants.conv import (
    ConvShape,
    eight_bits,
    largest_sum,
    number,
    shape_of,
    weights_of,
)
from dimmer.firmware_gen.variants.dsp import sum_cost, sum_scratch, sum_supports
from dimmer.firmware_gen.variants.frame import Settings, Variant
from dimmer.firmware_gen.variants.rounding import LARGEST, SCALE, Rescale, rescales_of

_GROUP = 4
"""Channels, and inputs."""
DOWN = 11
Codes = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


def _rounded(size: int) -> int:
    return -(-size // _GROUP) * _GROUP


def halfwords(weights: Codes) -> Weights | None:
    """Weights int64[channels,inputs] as the kernel has them; None where two do not fit a halfword."""
    channels, depth = weights.shape
    padded = np.zeros((_rounded(channels), _rounded(depth)), dtype=np.int64)
    padded[:channels, :depth] = weights
    both = SCALE * padded[0::2] + padded[1::2]
    if both.min() < -(2**15):
        return None
    # int16[group, pair, four, word, half] -> [group, four, word, pair, half].
    ordered = both.reshape(len(both) // 2, 2, -1, _GROUP)[:, :, :, [0, 2, 1, 3]]
    words = ordered.reshape(*ordered.shape[:3], 2, 2).transpose(0, 2, 3, 1, 4)
    return Weights(words.astype("<i2").tobytes(), (*both.shape, 2))


def rescales(step: Step) -> tuple[Rescale, ...] | None:
    """How each channel is rescaled, all without steps where that can be; None where one cannot be."""
    return rescales_of(step, DOWN, one_rounding=True) or rescales_of(step, DOWN, one_rounding=False)


def parameters(biases: tuple[int, ...], found: tuple[Rescale, ...], stepped: bool) -> Params:
    """Offsets, multipliers and steps as the kernel has them."""
    none = Rescale(0, 0, 0)
    padded = [*zip(biases, found, strict=True), *[(0, none)] * (-len(biases) % _GROUP)]
    values: list[int] = []
    for first in range(0, len(padded), _GROUP):
        group = padded[first : first + _GROUP]
        offsets = [SCALE * bias + rescale.offset for bias, rescale in group]
        for pair in (0, 2):
            one, other = group[pair][1], group[pair + 1][1]
            values += [one.step, one.multiplier] if stepped else [one.multiplier]
            values += [offsets[pair + 1], other.step] if stepped else [offsets[pair + 1]]
            values += [other.multiplier]
        values += offsets[::2]
    return Params(tuple(values))


def _matrix(step: Step) -> Codes:
    """Weights int64[channels,inputs]: the whole fours of each row of the kernel, then what is left of all rows."""
    weights = weights_of(step)
    rows = weights.reshape(*weights.shape[:2], -1)
    whole = rows.shape[2] // _GROUP * _GROUP
    return np.concatenate(
        [rows[:, :, :whole].reshape(len(rows), -1), rows[:, :, whole:].reshape(len(rows), -1)], axis=1
    )


def _supports(step: Step) -> bool:
    plain = number(step, "batches") == 1 and eight_bits(step) and largest_sum(step) <= LARGEST
    return plain and halfwords(_matrix(step)) is not None and rescales(step) is not None


def _settings(step: Step) -> Iterable[Settings]:
    weights, found, bias = halfwords(_matrix(step)), rescales(step), step.fields["bias"]
    assert isinstance(bias, Params)
    if weights is None or found is None:
        return []
    stepped = any(rescale.step for rescale in found)
    values = parameters(bias.values, found, stepped)
    return [{"weights": weights, "bias": values, "multipliers": 0, "shifts": 0, "step": int(stepped)}]


def _depth(shape: ConvShape) -> int:
    return shape.kernel_h * shape.kernel_w * shape.input_c


def _tiles(shape: ConvShape) -> int:
    """Pairs of pixels that are widened at a time."""
    return min(8, max(1, 256 // _rounded(_depth(shape))))


def _scratch(step: Step, _settings: Settings) -> int:
    shape = shape_of(step)
    rest = _rounded(shape.kernel_w * shape.input_c % _GROUP * shape.kernel_h)
    tiles = _tiles(shape)
    results = 2 * tiles * _rounded(shape.output_c)
    return 4 * tiles * _rounded(_depth(shape)) + 2 * rest + results + 2 * _depth(shape)


def _cost(step: Step, settings: Settings) -> float:
    shape = shape_of(step)
    fours, tiles = _rounded(_depth(shape)) // 4, -(-shape.pixels // 2)
    turns, frame = (-(-fours // 2), 106) if settings["step"] else (-(-fours // 8), 72)
    blocks = tiles * _rounded(shape.output_c) // _GROUP * (fours * 30 + turns * 6 + frame)
    gathered = 0 if (shape.kernel_h, shape.kernel_w) == (1, 1) else 100 + 60 * shape.kernel_h
    return blocks + tiles * (fours * 14 + 40 + gathered) + 500


def _add_supports(step: Step) -> bool:
    return _supports(step) and sum_supports(step, "add_")


def _add_settings(step: Step) -> Iterable[Settings]:
    linear = linear_settings(step, "add_")
    return [{**settings, **linear} for settings in _settings(step)]


def _add_scratch(step: Step, settings: Settings) -> int:
    return _scratch(step, settings) + sum_scratch(settings)


def _add_cost(step: Step, settings: Settings) -> float:
    return _cost(step, settings) + sum_cost(step, settings) + 60 * shape_of(step).pixels


VARIANTS = tuple(
    Variant(kernel, replaces, frozenset({"dsp"}), cost, supports, settings, scratch, reorders=True)
    for kernel, replaces, cost, supports, settings, scratch in (
        (CONV_2D_PAIRED_DSP, CONV_2D, _cost, _supports, _settings, _scratch),
        (CONV_2D_ADD_PAIRED_DSP, CONV_2D_ADD, _add_cost, _add_supports, _add_settings, _add_scratch),
    )
)
