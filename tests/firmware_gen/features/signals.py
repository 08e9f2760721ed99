# SPDX-License-Identifier: Apache-2.0
"""Samples for front ends."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dimmer.firmware_gen.features.spec import AudioSpec

Samples = npt.NDArray[np.int16]
SPEECH = Path(__file__).resolve().parents[4] / "shared" / "data"


def random_windows(spec: AudioSpec, count: int, seed: int) -> Samples:
    """A recording of `count` rows: noise and tones of all loudnesses, silence, and the largest values there are."""
    rng = np.random.default_rng(seed)
    length = spec.window + (count - 1) * spec.step
    pieces: list[npt.NDArray[np.float64]] = []
    while sum(len(piece) for piece in pieces) < length:
        size = int(rng.integers(spec.step // 2, 3 * spec.window))
        loud = 2.0 ** rng.uniform(0, 15.2)
        tone = np.sin(2 * np.pi * np.arange(size) * rng.uniform(0, 0.5))
        kind = rng.integers(8)
        if kind < 4:
            piece = rng.normal(size=size) * loud
        elif kind < 6:
            piece = tone * loud + rng.normal(size=size)
        elif kind == 6:
            piece = np.sign(tone) * 32768.0
        else:
            piece = np.full(size, rng.choice([0.0, 1.0, -32768.0, 32767.0]))
        pieces.append(piece)
    return np.asarray(np.clip(np.concatenate(pieces)[:length], -32768, 32767), dtype=np.int16)


@cache
def speech() -> tuple[Samples, npt.NDArray[np.uint8], npt.NDArray[np.bytes_], tuple[str, ...]]:
    """Clips, int16[n, 16000], their classes and speakers, and the classes' names."""
    found = np.load(SPEECH / "speech_commands_v0.02_test12_mulaw8.npz")
    place = found["x_mulaw"].astype(np.float32) / 127.5 - 1
    values = np.sign(place) * (256.0 ** np.abs(place) - 1) / 255
    samples = np.round(values * 32767).astype(np.int16)
    return samples, found["y"], found["speaker"], tuple(name.decode() for name in found["classes"])
