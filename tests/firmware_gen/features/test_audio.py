# SPDX-License-Identifier: Apache-2.0
"""Audio: the C equals the integers of the reference bit for bit, and these lie near the real numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dimmer.firmware_gen.features.audio import features, features_and_levels
from dimmer.firmware_gen.features.presets import MICROFRONTEND, MLPERF_KWS, PRESETS
from dimmer.firmware_gen.features.real import real_features
from dimmer.firmware_gen.features.spec import AudioSpec, Codes
from dimmer.firmware_gen.features.tables import AudioTables, audio_tables
from dimmer.targets import load_target
from dimmer.targets.timing.run import modelled
from tests.firmware_gen.features.on_target import TARGETS, build, made, on_all
from tests.firmware_gen.features.signals import Samples, random_windows, speech

MOST_CYCLES, MOST_RAM = 2_500_000, 8192
"""Of a second of MFCC on Cortex-M4."""

ODD = replace(
    MLPERF_KWS, rate=8000, window=200, step=77, fft=256, bands=23, high_hz=3999.0, spectrum="power", coefficients=13
)
"""An odd number of stages of two: one of radix 2 before those of radix 4."""


def expected(tables: AudioTables, samples: Samples) -> bytes:
    """Rows with their levels, and the last window's rows, as the test's program writes them."""
    rows, levels = features_and_levels(tables, samples)
    said = b"".join(row.tobytes() + level.tobytes() for row, level in zip(rows, levels.astype(np.int32), strict=True))
    wanted = tables.spec.rows
    return said + (rows[-wanted:].tobytes() if len(rows) >= wanted else b"")


@pytest.mark.parametrize(("preset", "name"), on_all("mlperf-kws", "microfrontend", "odd"))
def test_random_windows(tmp_path: Path, name: str, preset: str) -> None:
    tables = audio_tables(PRESETS.get(preset, ODD))
    samples = random_windows(tables.spec, 60, seed=1)
    assert made(name, tmp_path, tables, samples, 331) == expected(tables, samples)


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("preset", PRESETS)
def test_a_thousand_random_windows(tmp_path: Path, name: str, preset: str) -> None:
    tables = audio_tables(PRESETS[preset])
    samples = random_windows(tables.spec, 1000, seed=2)
    assert made(name, tmp_path, tables, samples, 1000) == expected(tables, samples)


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("preset", PRESETS)
def test_a_hundred_seconds_of_speech(tmp_path: Path, name: str, preset: str) -> None:
    """A stream of a hundred clips: each second is a window, and so is every 20 ms between them."""
    tables = audio_tables(PRESETS[preset])
    clips = speech()[0]
    samples = clips[np.random.default_rng(0).permutation(len(clips))[:100]].ravel()
    assert made(name, tmp_path, tables, samples, 160) == expected(tables, samples)


@pytest.mark.parametrize("piece", [1, 2048])
def test_streams_equal_batches_however_they_are_cut(tmp_path: Path, piece: int) -> None:
    tables = audio_tables(MLPERF_KWS)
    samples = random_windows(MLPERF_KWS, 51, seed=3)
    assert made("host", tmp_path, tables, samples, piece) == expected(tables, samples)


def test_a_window_of_a_stream_is_that_of_a_recording() -> None:
    """Without a gain, which remembers, a row knows its own samples alone."""
    tables = audio_tables(MLPERF_KWS)
    samples = random_windows(MLPERF_KWS, 80, seed=4)
    later = features(tables, samples[10 * MLPERF_KWS.step :])
    assert np.array_equal(features(tables, samples)[10:], later)


@pytest.mark.parametrize("length", [0, 1, 479])
def test_no_row_of_less_than_a_window(length: int) -> None:
    assert features(audio_tables(MLPERF_KWS), np.zeros(length, dtype=np.int16)).shape == (0, 10)


@pytest.mark.board("mps2-an386")
def test_a_second_of_mfcc_on_cortex_m4(tmp_path: Path) -> None:
    target = load_target("mps2-an386")
    (stretch,) = modelled(target, build(target, tmp_path, audio_tables(MLPERF_KWS)), [], tmp_path)
    assert 1_000_000 < stretch.cycles <= MOST_CYCLES
    assert MLPERF_KWS.memory + MLPERF_KWS.rows * MLPERF_KWS.columns <= MOST_RAM


def speech_like(seed: int, seconds: int = 2) -> Samples:
    """Harmonics that come and go over some noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(16_000 * seconds) / 16_000
    tone = sum(np.sin(2 * np.pi * 140 * k * time + rng.uniform(0, 6)) / k for k in range(1, 25))
    loud = 6000 * np.abs(np.sin(2 * np.pi * 1.5 * time)) ** 3
    return np.clip(tone * loud + rng.normal(size=len(time)) * 20, -32768, 32767).astype(np.int16)


@pytest.mark.parametrize(
    ("spec", "most_differing"), [(MLPERF_KWS, 0.01), (ODD, 0.01), (replace(ODD, spectrum="magnitude"), 0.01)]
)
def test_codes_are_those_of_real_numbers_but_for_rounding(spec: AudioSpec, most_differing: float) -> None:
    tables, samples = audio_tables(spec), speech_like(5)
    real = np.round(real_features(spec, samples / 32768.0) / spec.codes.scale) + spec.codes.zero_point
    differences = np.abs(features(tables, samples) - np.clip(real, -128, 127))
    assert differences.max() <= 1
    assert (differences > 0).mean() < most_differing


@pytest.mark.parametrize("strength", [0.0, 0.95])
def test_noise_reduction_is_near_its_real_numbers(strength: float) -> None:
    assert MICROFRONTEND.gain is not None
    spec = replace(MICROFRONTEND, gain=replace(MICROFRONTEND.gain, strength=strength))
    spec = spec if strength else replace(spec, codes=Codes(0.04, -128))
    tables, samples = audio_tables(spec), speech_like(6)
    rows = features(tables, samples)
    real = np.clip(
        np.round(real_features(spec, samples / 32768.0) / spec.codes.scale) + spec.codes.zero_point, -128, 127
    )
    # Bands are whole numbers there, small ones of few bits; where they are larger, the codes agree.
    loud = rows > 0
    assert loud.mean() > 0.1
    assert np.abs(rows - real)[loud].mean() < 1.0


def test_the_mlperf_preset_is_what_tensorflow_computes() -> None:
    """tf.signal's definition, written out: HTK mel, periodic Hann, orthogonal DCT with the first one doubled."""
    spec, samples = MLPERF_KWS, speech_like(7, 1) / 32768.0
    frames = np.stack([samples[s : s + 480] for s in range(0, 16_000 - 479, 320)])
    spectrum = np.abs(np.fft.rfft(frames * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(480) / 480)), 512))

    def mel(hertz: float) -> float:
        return float(1127 * np.log(1 + hertz / 700))

    edges = np.linspace(mel(20), mel(4000), 42)
    bins = [mel(k * 16_000 / 512) for k in range(257)]
    matrix = np.array(
        [
            [
                max(0.0, min((b - lo) / (mid - lo), (hi - b) / (hi - mid))) if k else 0.0
                for lo, mid, hi in zip(edges, edges[1:], edges[2:], strict=False)
            ]
            for k, b in enumerate(bins)
        ]
    )
    logs = np.log(spectrum @ matrix + 1e-6)
    n = np.arange(40)
    wanted = np.array(
        [[(row * np.cos(np.pi * k * (2 * n + 1) / 80)).sum() * np.sqrt(2 / 40) for k in range(10)] for row in logs]
    )
    assert np.allclose(real_features(spec, samples), wanted, atol=1e-9)
