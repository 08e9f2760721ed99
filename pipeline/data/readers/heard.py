# SPDX-License-Identifier: Apache-2.0
"""Recordings as rows of features: the very integers that the C of the device's front end makes of the same samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dimmer.firmware_gen.features.audio import features
from dimmer.firmware_gen.features.presets import PRESETS
from dimmer.firmware_gen.features.real import real_features
from dimmer.firmware_gen.features.spec import AudioSpec, Codes
from dimmer.firmware_gen.features.tables import audio_tables
from dimmer.pipeline.data.encoding import INPUT_OFFSET
from dimmer.pipeline.data.heard import Heard
from dimmer.pipeline.data.own import OwnData
from dimmer.pipeline.data.readers import recordings, saved
from dimmer.pipeline.data.readers.sample import Problem, Sample
from dimmer.pipeline.data.scale import RowCodes, choose_row_codes

SUFFIXES = recordings.SUFFIXES
FULL = 32_768
LOOKED_AT = 500
"""Windows on which the scale of the codes is chosen."""


def files(data: OwnData) -> tuple[Path, ...]:
    """The recordings, or what holds them.

    Raises:
        DimmerError: they cannot be read, or there are none.
    """
    found: tuple[Path, ...] = (saved if data.section.column else recordings).files(data)
    return found


def samples(data: OwnData, problems: list[Problem]) -> Iterator[Sample]:
    """Windows int16[1,window,1] of every recording that can be read; the others are named.

    Raises:
        DimmerError: the folder or the table cannot be read.
    """
    for sample in (saved if data.section.column else recordings).samples(data, problems):
        yield replace(sample, array=as_samples(sample.array).reshape(data.sample_shape))


def as_samples(signal: NDArray[np.float32]) -> NDArray[np.int16]:
    """-1..1 as a microphone's 16 bits."""
    codes: NDArray[np.int16] = np.clip(np.rint(signal * np.float32(FULL)), -FULL, FULL - 1).astype(np.int16)
    return codes


def encoding(data: OwnData, values: NDArray[Any], training: Sequence[int]) -> RowEncoding:
    """The front end with a scale that is chosen on windows of the training part.

    Args:
        values: int16[N,1,window,1], may be a file that is mapped into memory.
        training: the positions of its windows.
    """
    assert data.heard is not None
    rows = data.shape.image_shape[1]
    probe = audio_spec(data.heard, rows, Codes(1.0, 0))
    picked = np.asarray(training)[:: max(1, len(training) // LOOKED_AT)]
    seen = np.stack([real_features(probe, values[n].ravel() / FULL) for n in picked])
    return RowEncoding(data.heard, rows, choose_row_codes(seen))


@dataclass(frozen=True)
class RowEncoding:
    """What makes codes of windows of samples.

    Attributes:
        heard: the front end.
        rows: of an input.
        row_codes: of its values.
    """

    heard: Heard
    rows: int
    row_codes: RowCodes

    def codes(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """int16[N,1,window,1] -> uint8[N,1,rows,columns]."""
        tables = audio_tables(audio_spec(self.heard, self.rows, Codes(self.row_codes.scale, self.row_codes.zero_point)))
        made = np.stack([features(tables, window.ravel())[: self.rows] for window in values])
        found: NDArray[np.uint8] = (made.view(np.uint8) ^ np.uint8(INPUT_OFFSET))[:, np.newaxis]
        return found


@dataclass(frozen=True, eq=False)
class HeardSounds:
    """Windows of recordings, and what the front end makes of them.

    Attributes:
        kept: int16[N,1,window,1], may be a file that is mapped into memory.
        encoding: of the rows.
        rate: samples a second.
    """

    kept: NDArray[np.int16]
    encoding: RowEncoding
    rate: int

    def windows(self, index: NDArray[np.int64]) -> NDArray[np.float32]:
        """Those at these positions, float32[N,window] in -1..1."""
        found: NDArray[np.float32] = self.kept[index].reshape(len(index), -1).astype(np.float32) / np.float32(FULL)
        return found

    def codes(self, windows: NDArray[np.float32]) -> NDArray[np.uint8]:
        """float32[N,window] -> uint8[N,1,rows,columns]."""
        return self.encoding.codes(as_samples(windows))


def sounds(data: OwnData, kept: NDArray[Any], codes: RowCodes) -> HeardSounds:
    """The windows that training changes before they are heard; arguments as of `HeardSounds` and `RowEncoding`."""
    assert data.heard is not None
    return HeardSounds(kept, RowEncoding(data.heard, data.shape.image_shape[1], codes), data.section.rate)


def audio_spec(heard: Heard, rows: int, codes: Codes) -> AudioSpec:
    """The front end as the generator knows it.

    Raises:
        SpecError: its tables cannot hold it.
    """
    if heard.kind in PRESETS:
        return replace(PRESETS[heard.kind], codes=codes, rows=rows)
    keys = heard.keys
    return AudioSpec(
        rate=keys.rate,
        window=keys.window,
        step=keys.step,
        fft=max(64, 1 << max(keys.window - 1, 1).bit_length()),
        bands=keys.bands,
        low_hz=keys.low_hz,
        high_hz=keys.high_hz,
        coefficients=keys.coefficients,
        spectrum=keys.spectrum,
        rows=rows,
        codes=codes,
    )
