# SPDX-License-Identifier: Apache-2.0
"""Sensors: filters and standardisation in C equal the reference, and the filters do what they are named after."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from dimmer.firmware_gen.features.sensor import (
    KINDS,
    BiquadSpec,
    SensorSpec,
    filtered,
    lowpass_taps,
    measured,
    sensor_rows,
    sensor_tables,
)
from dimmer.firmware_gen.features.spec import Codes, SpecError
from tests.firmware_gen.features.on_target import FEW, made, on_all

Samples = npt.NDArray[np.int16]

PLAIN = SensorSpec(
    rate=50.0, means=(12.5, -3.0, 980.0), deviations=(420.0, 90.5, 300.0), codes=Codes(1 / 32, 0), rows=128, hop=64
)
FRONTS = {
    "filters": replace(
        PLAIN,
        biquads=(BiquadSpec("highpass", 0.4), BiquadSpec("lowpass", 18.0, 0.6), BiquadSpec("notch", 10.0, 5.0)),
        fir=lowpass_taps(8.0, 50.0, 15),
        keep=2,
        hop=40,
        rows=64,
    ),
    "plain": PLAIN,
    "biquads": replace(PLAIN, biquads=(BiquadSpec("bandpass", 5.0, 0.3),), codes=Codes(0.02, -7)),
    "fir": replace(PLAIN, fir=lowpass_taps(5.0, 50.0, 31), keep=5, rows=30, hop=1),
}


def motion(seed: int, count: int) -> Samples:
    """Three axes: walks, steps from one end to the other, noise."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(size=(count, 3)) * 80, axis=0)
    ends = np.where(rng.random((count, 1)) < 0.02, rng.choice([-32768, 32767], size=(count, 3)), 0)
    return np.clip(walk + ends + rng.normal(size=(count, 3)) * 200, -32768, 32767).astype(np.int16)


def expected(spec: SensorSpec, samples: Samples) -> bytes:
    rows = sensor_rows(sensor_tables(spec), samples)
    starts = range(0, len(rows) - spec.rows + 1, spec.hop)
    return b"".join(rows[start : start + spec.rows].tobytes() for start in starts)


@pytest.mark.parametrize(("front", "name"), on_all(*FRONTS, by_default=FEW))
def test_windows_of_a_stream(tmp_path: Path, front: str, name: str) -> None:
    spec = FRONTS[front]
    samples = motion(1, (spec.rows + 20 * spec.hop) * spec.keep + 3)
    wanted = expected(spec, samples)
    assert len(wanted) == 21 * spec.rows * 3
    assert made(name, tmp_path, sensor_tables(spec), samples, 0) == wanted


@pytest.mark.slow
@pytest.mark.parametrize(("front", "name"), on_all(*FRONTS))
def test_a_thousand_windows(tmp_path: Path, front: str, name: str) -> None:
    spec = replace(FRONTS[front], hop=7)
    samples = motion(2, (spec.rows + 999 * spec.hop) * spec.keep)
    wanted = expected(spec, samples)
    assert len(wanted) == 1000 * spec.rows * 3
    assert made(name, tmp_path, sensor_tables(spec), samples, 0) == wanted


def gain_at(spec: SensorSpec, hz: float) -> float:
    """How much of a tone is left."""
    time = np.arange(2000) / spec.rate
    tone = np.round(8000 * np.sin(2 * np.pi * hz * time)).astype(np.int16)
    values = filtered(sensor_tables(spec), np.repeat(tone[:, None], 3, axis=1))[1000:, 0] / 256
    return float(values.std() / (8000 / np.sqrt(2)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_filter_passes_what_its_name_says(kind: str) -> None:
    spec = replace(PLAIN, biquads=(BiquadSpec(kind, 5.0, 0.7071),))
    low, corner, high = (gain_at(spec, hz) for hz in (0.5, 5.0, 22.0))
    half = np.sqrt(0.5)
    wanted = {"lowpass": (1, half, 0), "highpass": (0, half, 1), "bandpass": (0.15, 1, 0.1), "notch": (1, 0, 1)}[kind]
    assert np.allclose((low, corner, high), wanted, atol=0.06)


def test_a_fir_low_pass_keeps_what_is_slow() -> None:
    spec = replace(PLAIN, fir=lowpass_taps(5.0, 50.0, 51))
    assert gain_at(spec, 1.0) == pytest.approx(1, abs=0.01)
    assert gain_at(spec, 15.0) < 0.01


def test_standardised_values_have_no_mean_and_a_deviation_of_one() -> None:
    spec = replace(FRONTS["biquads"], codes=Codes(0.1, -7))
    recordings = [motion(seed, 3000) // 8 for seed in range(3)]
    means, deviations = measured(spec, recordings)
    rows = np.concatenate(
        [sensor_rows(sensor_tables(replace(spec, means=means, deviations=deviations)), one) for one in recordings]
    )
    values = (rows.astype(float) - spec.codes.zero_point) * spec.codes.scale
    assert np.allclose(values.mean(axis=0), 0, atol=0.1)
    assert np.allclose(values.std(axis=0), 1, atol=0.15)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"deviations": (1.0, 2.0)}, "deviations must be 3 numbers"),
        ({"deviations": (0.0, 1.0, 1.0)}, "deviations must be"),
        ({"biquads": (BiquadSpec("lowpass", 30.0),)}, "hz must be"),
        ({"fir": (2.0,)}, "fir must be -1 to 1"),
        ({"hop": 129}, "hop must be 1 to 128"),
        ({"keep": 0}, "keep must be 1 to 255"),
        ({"means": ()}, "means"),
    ],
)
def test_what_cannot_be_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        replace(PLAIN, **change)  # type: ignore[arg-type]
