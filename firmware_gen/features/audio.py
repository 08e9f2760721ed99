# SPDX-License-Identifier: Apache-2.0
"""An audio front end in integers: what features/audio.c of the runtime computes, bit for bit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dimmer.firmware_gen.features.curves import exp2, log2, root
from dimmer.firmware_gen.features.fixed import Ints, codes, product
from dimmer.firmware_gen.features.tables import AudioTables, GainTables

Rows = npt.NDArray[np.int8]


def features(tables: AudioTables, samples: npt.NDArray[np.int16]) -> Rows:
    """Every whole row of a recording.

    Args:
        samples: int16[n].

    Returns:
        int8[rows, columns]; no row where the samples are fewer than a window.
    """
    rows, _ = features_and_levels(tables, samples)
    return rows


def features_and_levels(tables: AudioTables, samples: npt.NDArray[np.int16]) -> tuple[Rows, Ints]:
    """`features`, and each row's sum of all bands' log2, int64[rows], Q16."""
    spec = tables.spec
    count = max(0, (len(samples) - spec.window) // spec.step + 1)
    starts = np.arange(count)[:, None] * spec.step + np.arange(spec.window)
    windows = np.asarray(samples, dtype=np.int64)[starts]
    bands = _bands(tables, _transform(tables, windows))
    if tables.gain is not None:
        bands = _reduced(tables.gain, bands)
    logs = log2(bands + tables.offset).reshape(count, spec.bands)
    levels = logs.sum(axis=1)
    values = logs - tables.log_bias
    if spec.coefficients:
        values = product(values[:, None, :], tables.cosines).sum(axis=2)
    return codes(values, tables.multiplier, tables.shift, spec.codes.zero_point), levels


def _wave(tables: AudioTables, k: Ints) -> tuple[Ints, Ints]:
    """Cos and sin of 2 pi k / fft, Q15, of k up to half a wave."""
    quarter, sines = tables.spec.fft // 4, tables.sines
    first = k <= quarter
    cosine = np.where(first, sines[np.clip(quarter - k, 0, quarter)], -sines[np.clip(k - quarter, 0, quarter)])
    return cosine, sines[np.where(first, k, 2 * quarter - k)]


def _transform(tables: AudioTables, windows: Ints) -> tuple[Ints, Ints]:
    """Two samples to a complex value: real and imaginary parts of their transform, int64[n, fft / 2] each."""
    spec = tables.spec
    points = spec.fft // 2
    log2_points = points.bit_length() - 1
    filled = np.zeros((len(windows), spec.fft), dtype=np.int64)
    filled[:, : spec.window] = (windows * tables.shape) >> (log2_points - log2_points // 2)
    order = np.array([int(f"{i:0{log2_points}b}"[::-1], 2) for i in range(points)])
    real, imaginary = filled[:, 0::2][:, order], filled[:, 1::2][:, order]
    stage = log2_points & 1
    if stage:
        real, imaginary = (
            np.stack([part[:, 0::2] + part[:, 1::2], part[:, 0::2] - part[:, 1::2]], 2).reshape(-1, points)
            for part in (real, imaginary)
        )
    for done in range(stage, log2_points, 2):
        apart = 1 << done
        k = np.arange(apart) * (1 << (log2_points - done - 2))
        shape = (len(windows), points // (4 * apart), 4, apart)
        real, imaginary = real.reshape(shape), imaginary.reshape(shape)
        a0, a1 = real[:, :, 0] >> 1, imaginary[:, :, 0] >> 1
        # Bit-reversed: the second of four is the one at twice the frequency.
        (b0, b1), (c0, c1), (d0, d1) = (
            _turned(real[:, :, place], imaginary[:, :, place], *tables.turns[times * k].T)
            for place, times in ((1, 2), (2, 1), (3, 3))
        )
        real = np.stack([a0 + b0 + c0 + d0, a0 - b0 + c1 - d1, a0 + b0 - c0 - d0, a0 - b0 - c1 + d1], axis=2)
        imaginary = np.stack([a1 + b1 + c1 + d1, a1 - b1 - c0 + d0, a1 + b1 - c1 - d1, a1 - b1 + c0 - d0], axis=2)
        real, imaginary = real.reshape(-1, points), imaginary.reshape(-1, points)
    return real, imaginary


def _turned(real: Ints, imaginary: Ints, cosine: Ints, sine: Ints) -> tuple[Ints, Ints]:
    """Half the values times the conjugate wave; by 1, the first of each block, exactly."""
    turned0 = product(real, cosine) + product(imaginary, sine)
    turned1 = product(imaginary, cosine) - product(real, sine)
    turned0[..., 0], turned1[..., 0] = real[..., 0] >> 1, imaginary[..., 0] >> 1
    return turned0, turned1


def _bands(tables: AudioTables, spectrum: tuple[Ints, Ints]) -> Ints:
    """uint32 in int64[n, bands]."""
    spec = tables.spec
    points = spec.fft // 2
    k = tables.first_bin + np.arange(int(tables.bins.sum()))
    (z0, o0), (z1, o1) = ((part[:, k % points], part[:, (points - k) % points]) for part in spectrum)
    cosine, sine = _wave(tables, k)
    d0, d1 = (z0 >> 1) - (o0 >> 1), (z1 >> 1) + (o1 >> 1)
    real = (z0 >> 2) + (o0 >> 2) + product(d1, cosine) - product(d0, sine)
    imaginary = (z1 >> 2) - (o1 >> 2) - product(d0, cosine) - product(d1, sine)
    values = real * real + imaginary * imaginary
    if spec.spectrum == "magnitude":
        values = root(values)
    # (values * weights) >> 16 without more than 64 bits.
    shares = (values >> 16) * tables.weights + (((values & 0xFFFF) * tables.weights) >> 16)
    ends = np.cumsum(tables.bins)
    starts = ends - tables.bins
    lower, upper = (
        np.stack([part[:, a:b].sum(axis=1) for a, b in zip(starts, ends, strict=True)], axis=1)
        for part in (shares, values - shares)
    )
    bands = upper[:, :-1] + lower[:, 1:]
    return bands if spec.spectrum == "magnitude" else root(bands) >> spec.root_shift


def _reduced(gain: GainTables, bands: Ints) -> Ints:
    """Noise reduction and gain, row by row from an estimate of 0."""
    odd = np.arange(bands.shape[1]) % 2 == 1
    smoothing = np.where(odd, gain.smoothing_odd, gain.smoothing_even)
    estimate = np.zeros(bands.shape[1], dtype=np.int64)
    found = np.empty_like(bands)
    for number, row in enumerate(bands):
        value = np.minimum(row, 0xFFFFFFFF >> gain.estimate_shift)
        fine = value << gain.estimate_shift
        step = (np.abs(fine - estimate) * smoothing) >> 16
        estimate = np.where(fine >= estimate, estimate + step, estimate - step)
        left = np.maximum(np.maximum(fine - estimate, 0) >> gain.estimate_shift, (value * gain.least) >> 16)
        if gain.strength:
            down = (log2(estimate + gain.offset) * gain.strength) >> 16
            ratio = exp2(log2(np.maximum(left, 1)) + gain.scale - down)
            # Below 2 a quarter of the square, above less 1.
            small = (ratio * ratio) >> 17
            left = np.where(left == 0, 0, np.where(ratio < 2 << 12, small, (ratio >> 3) - 512))
        found[number] = left
    return found
