# SPDX-License-Identifier: Apache-2.0
"""An audio front end in floating point: what its parameters mean, and what the integers are held against."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dimmer.firmware_gen.features.spec import AudioSpec, GainSpec
from dimmer.firmware_gen.features.tables import BAND_BITS, hann, triangles

Floats = npt.NDArray[np.float64]


def real_features(spec: AudioSpec, samples: npt.NDArray[np.generic]) -> Floats:
    """The values of every whole row, before they are codes.

    Args:
        samples: of -1 to 1, float[n].

    Returns:
        float64[rows, columns].
    """
    count = max(0, (len(samples) - spec.window) // spec.step + 1)
    starts = np.arange(count)[:, None] * spec.step + np.arange(spec.window)
    windows = np.asarray(samples, dtype=np.float64)[starts] * hann(spec)
    spectrum = np.abs(np.fft.rfft(windows, spec.fft, axis=1))
    first, counts, weights = triangles(spec)
    values = spectrum[:, first : first + len(weights)] ** (1 if spec.spectrum == "magnitude" else 2)
    ends = np.cumsum(counts)
    bands = np.zeros((count, spec.bands))
    for band in range(spec.bands):
        rising, falling = (slice(ends[n] - counts[n], ends[n]) for n in (band, band + 1))
        bands[:, band] = values[:, rising] @ (1 - weights[rising]) + values[:, falling] @ weights[falling]
    if spec.spectrum == "power":
        bands = np.sqrt(bands)
    if spec.gain is None:
        logs = np.log(bands + spec.log_offset)
    else:
        # Microfrontend counts in 8 times a sample's least bit, of a transform that is not scaled.
        logs = np.log(np.floor(_reduced(spec.gain, bands * 2.0**15 / 8)) + 1)
    if not spec.coefficients:
        return np.asarray(logs)
    place = np.pi / spec.bands * (np.arange(spec.bands) + 0.5)
    cosines = np.cos(np.outer(np.arange(spec.coefficients), place))
    return np.asarray(logs @ cosines.T * np.sqrt(2 / spec.bands))


def _reduced(gain: GainSpec, bands: Floats) -> Floats:
    """Ratios of signal and noise times 2^BAND_BITS, row by row; without a gain the signal that is left."""
    smoothing = np.where(np.arange(bands.shape[1]) % 2, gain.odd_smoothing, gain.even_smoothing)
    noise, found = np.zeros(bands.shape[1]), np.empty_like(bands)
    for number, row in enumerate(bands):
        noise = noise + (row - noise) * smoothing
        left = np.maximum(row - noise, row * gain.min_signal_remaining)
        if gain.strength:
            ratio = left * 8 * (noise * 8 + gain.offset) ** -gain.strength
            left = np.where(ratio < 2, ratio * ratio / 4, ratio - 1) * 2**BAND_BITS
        found[number] = left
    return found
