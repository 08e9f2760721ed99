# SPDX-License-Identifier: Apache-2.0
"""CONV_2D for Arm cores with the DSP extension whose weights lie in flash two channels in a halfword."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from dimmer.firmware_gen.kernels.dsp import CONV_2D_ADD_PAIRED_DSP, CONV_2D_PAIRED_DSP
from dimmer.firmware_gen.kernels.fused import CONV_2D_ADD
from dimmer.firmware_gen.kernels.portable import CONV_2D
from dimmer.firmware_gen.lower.steps import Params, Step, Value, Weights
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
_MOST_STEPS = 16 * 128
"""Of the kernel without steps of rounding."""
Codes = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


def _rounded(size: int) -> int:
    return -(-size // _GROUP) * _GROUP


def halfwords(weights: Codes) -> Weights | None:
    """Weights int64[channels,steps,2] as the kernel has them; None where two do not fit a halfword."""
    channels, *step = weights.shape
    padded = np.zeros((_rounded(channels), *step), dtype=np.int64)
    padded[:channels] = weights
    both = SCALE * padded[0::2] + padded[1::2]
    if both.min() < -(2**15):
        return None
    # int16[group, pair, step, half] -> [group, step, pair, half].
    words = both.reshape(-1, 2, *step).transpose(0, 2, 1, 3)
    return Weights(words.astype("<i2").tobytes(), (*both.shape,))


def steps_of(rows: Codes) -> Codes:
    """int64[channels,rows,inputs] -> int64[channels,steps,2]: of every four inputs of a row 0 and 2, then 1 and 3, as
    far as there are any.
    """
    channels, count, inputs = rows.shape
    padded = np.zeros((channels, count, _rounded(inputs)), dtype=np.int64)
    padded[:, :, :inputs] = rows
    fours = padded.reshape(channels, count, -1, _GROUP)[..., [0, 2, 1, 3]]
    steps = fours.reshape(channels, count, -1, 2)[:, :, : _steps(inputs)]
    return steps.reshape(channels, -1, 2)


def _steps(inputs: int) -> int:
    """Steps of a row."""
    return -(-inputs // 2) if inputs % _GROUP != 2 else inputs // 2 + 1


def rescales(step: Step) -> tuple[tuple[Rescale, ...], bool] | None:
    """How each channel is rescaled, and whether by the kernel with steps; None where one channel cannot be."""
    shape = shape_of(step)
    many = _steps(shape.kernel_w * shape.input_c) * shape.kernel_h > _MOST_STEPS
    for stepped in (True,) if many else (False, True):
        found = rescales_of(step, DOWN, one_rounding=not stepped)
        if found is not None:
            return found, stepped
    return None


def _word(value: int) -> int:
    """Modulo 2^32."""
    return (value + 2**31) % 2**32 - 2**31


def parameters(biases: tuple[int, ...], found: tuple[Rescale, ...], stepped: bool) -> Params:
    """Offsets, multipliers and steps as the kernel has them: where there are no steps, the second sum of two channels
    has 2^23 less, times 256 for the second channel and to be taken from the first one.
    """
    none = Rescale(0, 0, 0)
    padded = [*zip(biases, found, strict=True), *[(0, none)] * (-len(biases) % _GROUP)]
    values: list[int] = []
    for first in range(0, len(padded), _GROUP):
        group = padded[first : first + _GROUP]
        offsets = [SCALE * bias + rescale.offset for bias, rescale in group]
        if not stepped:
            offsets = [_word(offset + more) for offset, more in zip(offsets, (-(2**23), 2**31) * 2, strict=True)]
        for pair in (0, 2):
            one, other = group[pair][1], group[pair + 1][1]
            values += [one.step, one.multiplier] if stepped else [one.multiplier]
            values += [offsets[pair + 1], other.step] if stepped else [offsets[pair + 1]]
            values += [other.multiplier]
        values += offsets[::2]
    return Params(tuple(values))


def _halfwords(step: Step) -> Weights | None:
    weights = weights_of(step)
    return halfwords(steps_of(weights.reshape(*weights.shape[:2], -1)))


def _supports(step: Step) -> bool:
    plain = number(step, "batches") == 1 and eight_bits(step) and largest_sum(step) <= LARGEST
    return plain and _halfwords(step) is not None and rescales(step) is not None


def _settings(step: Step) -> Iterable[Settings]:
    """Every part of a column of tiles that needs fewer strips than the next smaller."""
    weights, rescaled, bias = _halfwords(step), rescales(step), step.fields["bias"]
    assert isinstance(bias, Params)
    if weights is None or rescaled is None:
        return []
    found, stepped = rescaled
    values = parameters(bias.values, found, stepped)
    fields: Settings = {"weights": weights, "bias": values, "multipliers": 0, "shifts": 0, "step": int(stepped)}
    tiles = _Tiles.of(shape_of(step))
    most = 1 if tiles.advance == 0 or _in_a_row(step, stepped) else tiles.below
    strips = {-(-most // count) for count in range(1, most + 1)}
    return [{**fields, "strip": strip} for strip in sorted(strips)]


@dataclass(frozen=True, slots=True)
class _Tiles:
    """The tiles of two pixels of a layer.

    Attributes:
        columns: of tiles, and
        below: how many there are in one.
        advance: rows that are held from a tile to the one below; 0 where tiles share none.
    """

    columns: int
    below: int
    advance: int

    @classmethod
    def of(cls, shape: ConvShape) -> _Tiles:
        """As `dimmer_paired_layer` chooses them."""
        beside, stacked = -(-shape.output_w // 2), -(-shape.output_h // 2)
        vertical = beside * shape.output_h > stacked * shape.output_w
        down = shape.stride_h * (2 if vertical else 1)
        unit = down if shape.kernel_h == 1 else shape.dilation_h
        advance = 0 if down % unit else down // unit
        return cls(shape.output_w, stacked, advance) if vertical else cls(beside, shape.output_h, advance)


def _plain(step: Step) -> bool:
    """Whether results go to the output as they are."""
    limits = (number(step, "activation_min"), number(step, "activation_max"))
    return step.kernel == CONV_2D and limits == (-128, 127) and shape_of(step).output_c % _GROUP == 0


def _in_a_row(step: Step, stepped: Value) -> bool:
    """Whether tiles are widened one by one."""
    shape = shape_of(step)
    window = (shape.kernel_h, shape.kernel_w, shape.stride_h, shape.stride_w, shape.pad_top, shape.pad_left)
    same = (shape.output_h, shape.output_w) == (shape.input_h, shape.input_w)
    return _plain(step) and not stepped and window == (1, 1, 1, 1, 0, 0) and same and shape.input_c % _GROUP == 0


def _strip(settings: Settings) -> int:
    strip = settings["strip"]
    assert isinstance(strip, int)
    return strip


def _scratch(step: Step, settings: Settings) -> int:
    shape, strip = shape_of(step), _strip(settings)
    inputs = shape.kernel_w * shape.input_c
    rows = (strip - 1) * _Tiles.of(shape).advance + shape.kernel_h
    results = 0 if _plain(step) else 2 * strip * _rounded(shape.output_c)
    return 8 * _steps(inputs) * rows + 2 * _rounded(inputs) + results


def _cost(step: Step, settings: Settings) -> float:
    shape, strip = shape_of(step), _strip(settings)
    inputs = shape.kernel_w * shape.input_c
    steps = _steps(inputs) * shape.kernel_h
    turn, frame = (steps // 4 * 6, 104) if settings["step"] else (steps // 16 * 4, 66)
    block = steps * 15 + turn + frame
    groups = _rounded(shape.output_c) // _GROUP
    if _in_a_row(step, settings["step"]):
        count = -(-shape.pixels // 2)
        return count * (groups * block + steps * 6.5 + 50) + 500
    tiles = _Tiles.of(shape)
    strips = -(-tiles.below // strip)
    held = tiles.below * tiles.advance + strips * (shape.kernel_h - tiles.advance)
    rows = tiles.columns * (held * (_steps(inputs) * 6.5 + 30) + strips * 250 + tiles.below * 25)
    return tiles.columns * tiles.below * groups * block + rows + 500


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
