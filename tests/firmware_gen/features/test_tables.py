# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dimmer.firmware_gen.features.presets import MICROFRONTEND, MLPERF_KWS
from dimmer.firmware_gen.features.spec import SpecError
from dimmer.firmware_gen.features.tables import audio_tables, hann, mel, spectrum_bits, triangles


def test_the_mel_scale_is_1000_at_1000_hertz() -> None:
    assert mel(1000.0) == pytest.approx(1000, abs=0.1)
    assert mel(0.0) == 0


def test_the_window_has_its_maximum_where_its_name_says() -> None:
    periodic, centred = hann(MLPERF_KWS), hann(MICROFRONTEND)
    assert periodic.argmax() == 240
    assert periodic[0] == 0
    assert np.allclose(centred, centred[::-1])


def test_every_bin_is_shared_between_two_bands() -> None:
    first, counts, weights = triangles(MLPERF_KWS)
    # 31.25 to 3,968.75 Hz, between 20 and 4,000.
    assert (first, sum(counts), len(counts)) == (1, 127, 41)
    assert ((weights > 0) & (weights <= 1)).all()


def test_tables_fit_their_types() -> None:
    for spec in (MLPERF_KWS, MICROFRONTEND):
        tables = audio_tables(spec)
        for table in (tables.shape, tables.sines, tables.turns, tables.cosines):
            assert np.abs(table).max(initial=0) <= 32768
            assert table.max(initial=0) <= 32767
        assert tables.weights.min() >= 0
        assert tables.weights.max() <= 65535
        assert tables.bins.max() < 256
        assert tables.flash < 3500
        assert tables.offset >= 1


def test_the_transform_keeps_to_its_bits() -> None:
    assert [spectrum_bits(replace(MLPERF_KWS, fft=fft)) for fft in (512, 1024)] == [6, 5]


def test_bands_without_a_bin_are_refused() -> None:
    with pytest.raises(SpecError, match="no bin of 512 points"):
        audio_tables(replace(MLPERF_KWS, low_hz=32.0, high_hz=40.0))


def test_a_gain_needs_enough_bits_of_smoothing() -> None:
    assert MICROFRONTEND.gain is not None
    with pytest.raises(SpecError, match="smoothing_bits must be 3 or more"):
        audio_tables(replace(MICROFRONTEND, gain=replace(MICROFRONTEND.gain, smoothing_bits=1)))
