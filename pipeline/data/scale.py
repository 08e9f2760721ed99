# SPDX-License-Identifier: Apache-2.0
"""Measured values as codes of a network's input: a step and an offset for each channel, chosen on the training part.

code = floor((value - offset) / step + 0.5) in float32, clamped to 0..255; the int8 input of the firmware is code - 128,
as of images. The same line of C gives the same code (`firmware_gen.emit.header`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dimmer.pipeline.data.dataset import Images

HIGHEST = 255
TAILS = (0.0, 0.0001, 0.001, 0.005)
"""Shares of the values at either end that may saturate: the one of least mean absolute error, so that no spike decides.
"""
_MOST_VALUES = 2_000_000


@dataclass(frozen=True)
class RowCodes:
    """How the values of a front end's rows become codes: value = scale * (int8 code - zero_point).

    Attributes:
        scale: value of one code.
        zero_point: code of 0.
    """

    scale: float
    zero_point: int


@dataclass(frozen=True)
class InputScale:
    """How values become codes.

    Attributes:
        offset: value of code 0, of each channel, in the data's own unit.
        step: value of one code, over 0.
    """

    offset: tuple[float, ...]
    step: tuple[float, ...]

    def codes(self, values: NDArray[np.float32]) -> Images:
        """float32[...,C] -> uint8[...,C]."""
        offset, step = np.asarray(self.offset, np.float32), np.asarray(self.step, np.float32)
        with np.errstate(over="ignore"):
            places = np.floor((values - offset) / step + np.float32(0.5))
        codes: Images = np.clip(places, 0, HIGHEST).astype(np.uint8)
        return codes

    def values(self, codes: Images) -> NDArray[np.float32]:
        """uint8[...,C] -> float32[...,C]: what the network is told of the values."""
        offset, step = np.asarray(self.offset, np.float32), np.asarray(self.step, np.float32)
        return codes.astype(np.float32) * step + offset


@dataclass(frozen=True)
class JoinedScale:
    """How the values of several inputs become codes, each with its own scale.

    Attributes:
        shapes: (H, W, C) of each input.
        scales: of each; None of one whose values are codes.
    """

    shapes: tuple[tuple[int, int, int], ...]
    scales: tuple[InputScale | None, ...]

    def codes(self, values: NDArray[np.float32]) -> Images:
        """float32[N,1,1,D] -> uint8[N,1,1,D]."""
        parts = []
        for part, scale in zip(parts_of(values, self.shapes), self.scales, strict=True):
            made = part.astype(np.uint8) if scale is None else scale.codes(part)
            parts.append(made.reshape(len(values), 1, 1, -1))
        joined: Images = np.concatenate(parts, 3)
        return joined


def parts_of(values: NDArray[Any], shapes: Sequence[tuple[int, int, int]]) -> Iterator[NDArray[Any]]:
    """The inputs [N,H,W,C] in samples [N,1,1,D] that have one behind the other."""
    at = 0
    for shape in shapes:
        size = int(np.prod(shape))
        yield values[..., at : at + size].reshape(len(values), *shape)
        at += size


def choose_joined_scale(
    values: NDArray[Any],
    index: Sequence[int],
    shapes: Sequence[tuple[int, int, int]],
    codes: Sequence[bool],
) -> JoinedScale:
    """As `choose_scale`, of each input by itself.

    Args:
        values: float32[N,1,1,D].
        codes: of each input whether its values are codes as they are.
    """
    picked = _picked(values, index)
    parts = zip(parts_of(picked, shapes), codes, strict=True)
    scales = tuple(None if whole else choose_scale(part, range(len(part))) for part, whole in parts)
    return JoinedScale(tuple(shapes), scales)


def _picked(values: NDArray[Any], index: Sequence[int]) -> NDArray[Any]:
    """So many of the samples that memory holds them."""
    most = max(1, _MOST_VALUES // max(1, int(np.prod(values.shape[1:]))))
    picked = np.asarray(index, np.int64)
    if len(picked) > most:
        picked = picked[np.linspace(0, len(picked) - 1, most).astype(np.int64)]
    return np.asarray(values[picked])


def choose_scale(values: NDArray[Any], index: Sequence[int] | NDArray[np.int64], shared: bool = False) -> InputScale:
    """The scale of some samples float32[N,H,W,C].

    Args:
        values: may be a file that is mapped into memory.
        index: the samples that are looked at: those of training.
        shared: one scale for all channels, even around 0: sound, whose channels are neighbours in time.
    """
    channels = values.shape[-1]
    each = max(1, int(np.prod(values.shape[1:-1])))
    most = max(1, _MOST_VALUES // (each * channels))
    picked = np.asarray(index, np.int64)
    if len(picked) > most:
        picked = picked[np.linspace(0, len(picked) - 1, most).astype(np.int64)]
    seen = np.asarray(values[picked], np.float64).reshape(-1, channels)
    if shared:
        one = _channel(np.concatenate([seen.ravel(), -seen.ravel()]))
        return InputScale((one[0],) * channels, (one[1],) * channels)
    found = [_channel(seen[:, channel]) for channel in range(channels)]
    return InputScale(tuple(offset for offset, _ in found), tuple(step for _, step in found))


def choose_row_codes(values: NDArray[np.float64]) -> RowCodes:
    """One scale for all values float64[...] of rows; 0 is among what it holds."""
    low, step = _channel(np.append(values.ravel(), 0.0))
    return RowCodes(step, int(np.clip(round(-low / step) - HIGHEST // 2 - 1, -HIGHEST // 2, HIGHEST // 2)))


def _channel(values: NDArray[np.float64]) -> tuple[float, float]:
    """Offset and step whose codes come nearest to the values, as float32 holds them."""
    best, least = (0.0, 1.0), np.inf
    for tail in TAILS:
        low, high = np.quantile(values, (tail, 1 - tail))
        if not high > low:
            # A channel that never changes: its value is code 128.
            low, high = float(low) - HIGHEST / 2, float(low) + HIGHEST / 2
        step = max(float(np.float32((high - low) / HIGHEST)), 1e-30)
        offset = float(np.float32(low))
        codes = np.clip(np.rint((values - offset) / step), 0, HIGHEST)
        error = float(np.mean(np.abs(codes * step + offset - values)))
        if error < least:
            best, least = (offset, step), error
    return best
