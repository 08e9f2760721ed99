# SPDX-License-Identifier: Apache-2.0
"""Recordings of every code and rate, cut into windows."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from dimmer.pipeline.data.own import DataSection
from dimmer.pipeline.data.readers.recordings import files, read_recording, samples
from dimmer.pipeline.data.readers.sample import Problem, Sample
from tests.own_data import RATE, own, write_recordings

SECTION = DataSection("recordings", "d", classes=("low", "high"), window=320, frame=16, rate=RATE, group=r"(s\d)_")
TONE = np.sin(2 * np.pi * 50 * np.arange(RATE) / RATE) * 0.5


def read(folder: Path, section: DataSection = SECTION) -> tuple[list[Sample], list[Problem]]:
    problems: list[Problem] = []
    return list(samples(own(folder, section), problems)), problems


def wav_of_24_bits(path: Path, signal: np.ndarray[tuple[int], np.dtype[np.float64]], rate: int) -> None:
    body = b"".join(int(value * 8388607).to_bytes(3, "little", signed=True) for value in signal)
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + len(body),
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        rate,
        rate * 3,
        3,
        24,
        b"data",
        len(body),
    )
    path.write_bytes(head + body)


def test_every_code_is_the_same_sound(tmp_path: Path) -> None:
    codes = {
        "u8": (TONE * 127 + 128).round().astype(np.uint8),
        "i16": (TONE * 32767).astype(np.int16),
        "i32": (TONE * 2147483647).astype(np.int32),
        "f32": TONE.astype(np.float32),
        "f64": TONE,
        "stereo": np.stack([TONE, TONE], 1).astype(np.float32),
    }
    for name, signal in codes.items():
        wavfile.write(tmp_path / f"{name}.wav", RATE, signal)
    wav_of_24_bits(tmp_path / "i24.wav", TONE, RATE)
    for path in sorted(tmp_path.glob("*.wav")):
        found = read_recording(path, RATE)
        assert found.dtype == np.float32
        assert np.abs(found - TONE).max() < 0.01, path.name


@pytest.mark.parametrize("rate", [1000, 4000, 3000, 44100])
def test_other_rates_are_brought_to_the_wanted_one(tmp_path: Path, rate: int) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 50 * np.arange(rate) / rate)
    wavfile.write(tmp_path / "a.wav", rate, tone.astype(np.float32))
    found = read_recording(tmp_path / "a.wav", RATE)
    assert len(found) == RATE
    assert np.abs(found - TONE)[100:-100].max() < 0.02


def test_windows_of_a_recording_stay_together_and_short_ones_are_filled(tmp_path: Path) -> None:
    (tmp_path / "d" / "low").mkdir(parents=True)
    wavfile.write(tmp_path / "d" / "low" / "long.wav", RATE, TONE[:1000].astype(np.float32))
    wavfile.write(tmp_path / "d" / "low" / "s3_short.wav", RATE, TONE[:100].astype(np.float32))
    found, problems = read(tmp_path)
    assert not problems
    assert [(one.name, one.group) for one in found] == [
        ("low/long.wav, from 0.00 s", "low/long.wav"),
        ("low/long.wav, from 0.16 s", "low/long.wav"),
        ("low/long.wav, from 0.32 s", "low/long.wav"),
        ("low/s3_short.wav", "s3"),
    ]
    assert found[0].array.shape == (1, 20, 16)
    assert np.allclose(found[1].array.ravel(), TONE[320:640])
    assert not found[3].array.ravel()[100:].any()


def test_a_folder(tmp_path: Path) -> None:
    write_recordings(tmp_path / "d", {"low": 8, "high": 8})
    found, problems = read(tmp_path)
    assert not problems
    assert len(files(own(tmp_path, SECTION))) == 16
    assert {one.labels[0] for one in found} == {"low", "high"}
    assert {one.group for one in found} == {"s0", "s1", "s2", "s3", "s4"}


def test_broken_ones_are_named(tmp_path: Path) -> None:
    write_recordings(tmp_path / "d", {"low": 1})
    low = tmp_path / "d" / "low"
    wavfile.write(low / "none.wav", RATE, np.zeros(0, np.int16))
    wavfile.write(low / "odd.wav", RATE, np.array([0.1, np.nan], np.float32))
    (low / "text.wav").write_text("no sound")
    (low / "head.wav").write_bytes((low / "s0_0.wav").read_bytes()[:30])
    found, problems = read(tmp_path)
    assert {one.name.partition(",")[0] for one in found} == {"low/s0_0.wav"}
    assert [problem.name for problem in problems] == ["low/head.wav", "low/none.wav", "low/odd.wav", "low/text.wav"]
