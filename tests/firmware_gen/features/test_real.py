# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np

from dimmer.firmware_gen.features.presets import MLPERF_KWS
from dimmer.firmware_gen.features.real import real_features


def test_a_tone_is_in_the_band_of_its_frequency() -> None:
    spec = replace(MLPERF_KWS, coefficients=0)
    edges = np.linspace(1127 * np.log1p(20 / 700), 1127 * np.log1p(4000 / 700), 42)
    for band in (5, 20, 35):
        hertz = 700 * (np.exp(edges[band + 1] / 1127) - 1)
        rows = real_features(spec, 0.5 * np.sin(2 * np.pi * hertz * np.arange(2000) / 16_000))
        assert abs(int(rows[1].argmax()) - band) <= 1


def test_twice_as_loud_is_the_logarithm_of_two_more() -> None:
    spec = replace(MLPERF_KWS, coefficients=0, log_offset=0.0)
    noise = np.random.default_rng(0).normal(size=4000) * 0.1
    more = real_features(spec, 2 * noise) - real_features(spec, noise)
    filled = np.isfinite(more)
    assert filled.mean() > 0.8
    assert np.allclose(more[filled], np.log(2))


def test_a_cosine_transform_of_all_bands_keeps_their_energy() -> None:
    noise = np.random.default_rng(0).normal(size=4000) * 0.1
    logs = real_features(replace(MLPERF_KWS, coefficients=0), noise)
    made = real_features(replace(MLPERF_KWS, coefficients=40), noise)
    # The first one is not scaled down by the root of 2.
    made[:, 0] /= np.sqrt(2)
    assert np.allclose((made**2).sum(axis=1), (logs**2).sum(axis=1))
