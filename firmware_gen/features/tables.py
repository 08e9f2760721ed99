# SPDX-License-Identifier: Apache-2.0
"""The tables of an audio front end."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dimmer.firmware_gen.features.spec import AudioSpec, GainSpec, check
from dimmer.firmware_gen.graph.fixed_point import quantize_multiplier

Ints = npt.NDArray[np.int64]
_Q15_MOST, _Q16_MOST = 32767, 65535
_RATIO_BITS, BAND_BITS = 12, 9
"""Of the ratio of signal and noise, and of a band behind the gain: features/gain.c."""


@dataclass(frozen=True)
class GainTables:
    """The fields of dimmer_audio_gain_t."""

    smoothing_even: int
    smoothing_odd: int
    least: int
    strength: int
    offset: int
    scale: int
    estimate_shift: int


@dataclass(frozen=True)
class AudioTables:
    """The fields of dimmer_audio_t.

    Attributes:
        shape: int[window], Q15.
        sines: int[fft / 4 + 1], Q15: a quarter of a wave of fft points.
        turns: int[3 * fft / 8, 2], Q15: cos and sin of a wave of fft / 2 points.
        bins: int[bands + 1].
        weights: int[sum of bins], Q16.
        cosines: int[coefficients, bands], Q15.
    """

    spec: AudioSpec
    first_bin: int
    offset: int
    log_bias: int
    multiplier: int
    shift: int
    shape: Ints
    sines: Ints
    turns: Ints
    bins: Ints
    weights: Ints
    cosines: Ints
    gain: GainTables | None

    @property
    def flash(self) -> int:
        """Bytes of the tables."""
        halves = (self.shape, self.sines, self.turns, self.weights, self.cosines)
        return 2 * sum(table.size for table in halves) + len(self.bins)


def spectrum_bits(spec: AudioSpec) -> int:
    """The transform is 2^bits times that of samples as whole numbers."""
    return 15 - (int(math.log2(spec.fft)) - 1) - 1


def mel(hertz: float | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The mel scale of HTK, and of TensorFlow and TFLite-Micro."""
    return 1127.0 * np.log1p(np.asarray(hertz, dtype=np.float64) / 700.0)


def hann(spec: AudioSpec) -> npt.NDArray[np.float64]:
    """The window function, float[window]."""
    place = np.arange(spec.window) + (0.5 if spec.shape == "centred" else 0.0)
    return 0.5 - 0.5 * np.cos(2 * np.pi * place / spec.window)


def triangles(spec: AudioSpec) -> tuple[int, list[int], npt.NDArray[np.float64]]:
    """First bin, bins between one centre and the next, and their weights for the lower band; the bin of 0 Hz is out.

    Raises:
        SpecError: 256 bins or more between two centres, or none at all.
    """
    edges = np.linspace(float(mel(spec.low_hz)), float(mel(spec.high_hz)), spec.bands + 2)
    places = mel(np.arange(1, spec.fft // 2 + 1) * spec.rate / spec.fft)
    inside = np.flatnonzero((places >= edges[0]) & (places < edges[-1]))
    check(len(inside) > 0, "high_hz", f"must be higher: no bin of {spec.fft} points lies between the bands' ends")
    between = np.searchsorted(edges, places[inside], side="right") - 1
    counts = [int(np.count_nonzero(between == band)) for band in range(spec.bands + 1)]
    check(max(counts) < 256, "bands", "must be more: 256 bins or more lie between two of them")
    weights = (edges[between + 1] - places[inside]) / (edges[between + 1] - edges[between])
    return int(inside[0]) + 1, counts, weights


def audio_tables(spec: AudioSpec) -> AudioTables:
    """The tables of a front end.

    Raises:
        SpecError: they cannot hold it.
    """
    first, counts, weights = triangles(spec)
    number = np.arange(spec.bands) + 0.5
    cosines = np.cos(np.pi / spec.bands * np.outer(np.arange(spec.coefficients), number))
    quarter = np.arange(spec.fft // 4 + 1)
    angles = 2 * np.pi * np.arange(3 * spec.fft // 8) / (spec.fft // 2)
    # Of a band of 1.0, where samples are -1 to 1.
    unit = spectrum_bits(spec) + 15 - spec.root_shift
    offset = max(1, round(spec.log_offset * 2.0**unit))
    bias = unit << 16
    if spec.gain is not None:
        # A band is then a ratio of signal and noise with BAND_BITS behind the point, and the values are logarithms of
        # that whole number, as microfrontend's are.
        offset, bias = 1, 0
    # log2 in Q16 to values; the cosine transform halves it.
    real = math.log(2) / 65536 / spec.codes.scale
    if spec.coefficients:
        real *= 2 * math.sqrt(2 / spec.bands)
    multiplier, shift = quantize_multiplier(real)
    return AudioTables(
        spec,
        first,
        offset,
        bias,
        multiplier,
        shift,
        _fixed(hann(spec), _Q15_MOST),
        _fixed(np.sin(2 * np.pi * quarter / spec.fft), _Q15_MOST),
        _fixed(np.stack([np.cos(angles), np.sin(angles)], axis=1), _Q15_MOST),
        np.array(counts, dtype=np.int64),
        _fixed(weights, _Q16_MOST),
        _fixed(cosines, _Q15_MOST),
        None if spec.gain is None else _gain(spec.gain, spec),
    )


def _gain(gain: GainSpec, spec: AudioSpec) -> GainTables:
    def share(value: float) -> int:
        return min(_Q16_MOST, round(value * 65536))

    # Microfrontend: the ratio is signal * gain >> (gain_bits - correction - RATIO_BITS), where the estimate has
    # smoothing_bits - correction more bits than the gain is a function of.
    correction = int(math.log2(spec.fft)) - 6
    scale = (correction + _RATIO_BITS) << 16
    more = gain.smoothing_bits - correction
    check(more >= 0, "smoothing_bits", f"must be {correction} or more with a transform of {spec.fft} points")
    scale += round(gain.strength * 65536 * more)
    return GainTables(
        share(gain.even_smoothing),
        share(gain.odd_smoothing),
        share(gain.min_signal_remaining),
        share(gain.strength),
        gain.offset << more,
        scale,
        gain.smoothing_bits,
    )


def _fixed(values: npt.NDArray[np.float64], most: int) -> Ints:
    scaled = np.floor(values * (most + 1) + 0.5).astype(np.int64)
    return np.clip(scaled, -most - 1, most)
