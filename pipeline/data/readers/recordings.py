# SPDX-License-Identifier: Apache-2.0
"""A folder of WAV recordings, cut into windows: 8 to 32 bits or float, any rate, the mean of their channels."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from math import gcd
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from dimmer.pipeline.data.own import DataSection, OwnData
from dimmer.pipeline.data.readers.listing import Listed, listed, listed_files
from dimmer.pipeline.data.readers.sample import Problem, Sample
from dimmer.pipeline.data.scale import InputScale
from dimmer.toml import plain

SUFFIXES = frozenset({".wav", ".wave"})
_MOST_RATE = 1_000_000


def files(data: OwnData) -> tuple[Path, ...]:
    """The recordings, and the table where there is one.

    Raises:
        DimmerError: the folder cannot be read, or has no recordings.
    """
    return listed_files(data, SUFFIXES)


def samples(data: OwnData, problems: list[Problem]) -> Iterator[Sample]:
    """Windows float32[1,window/frame,frame] in -1..1 of every recording that can be read; the others are named.

    A recording shorter than a window is followed by silence; windows of one recording are never parted.

    Raises:
        DimmerError: the folder or the table cannot be read.
    """
    for entry in listed(data, SUFFIXES, problems):
        yield from windows(entry, entry.path, data.section, problems)


def windows(entry: Listed, file: Path | BinaryIO, section: DataSection, problems: list[Problem]) -> Iterator[Sample]:
    """The windows of one recording, as `samples` gives them; nothing, and a problem, where it cannot be read."""
    step = section.step or section.window
    try:
        signal = read_recording(file, section.rate)
    except ModuleNotFoundError:
        raise
    # Of a broken file the parser raises whatever comes to it.
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        problems.append(Problem(entry.name, f"cannot be decoded ({plain(reason)})"))
        return
    if not len(signal):
        problems.append(Problem(entry.name, "holds no samples"))
        return
    if not np.isfinite(signal).all():
        problems.append(Problem(entry.name, "holds values that are no numbers"))
        return
    starts = range(0, max(len(signal) - section.window, 0) + 1, step)
    for start in starts:
        name = entry.name if len(starts) == 1 else f"{entry.name}, from {start / section.rate:.2f} s"
        window = framed(signal[start : start + section.window], section)
        yield Sample(name, window, entry.labels, entry.group or entry.name, entry.split)


@dataclass(frozen=True, eq=False)
class Framed:
    """Windows of recordings, and their codes.

    Attributes:
        kept: float32[N,1,window/frame,frame], may be a file that is mapped into memory.
        scale: of the codes.
        rate: samples a second.
    """

    kept: NDArray[np.float32]
    scale: InputScale
    rate: int

    def windows(self, index: NDArray[np.int64]) -> NDArray[np.float32]:
        """Those at these positions, float32[N,window] in -1..1."""
        found: NDArray[np.float32] = self.kept[index].reshape(len(index), -1)
        return found

    def codes(self, windows: NDArray[np.float32]) -> NDArray[np.uint8]:
        """float32[N,window] -> uint8[N,1,window/frame,frame]."""
        return self.scale.codes(windows.reshape(len(windows), *self.kept.shape[1:]))


def sounds(data: OwnData, kept: NDArray[Any], scale: InputScale) -> Framed:
    """The windows that training changes; arguments as of `Framed`."""
    return Framed(kept, scale, data.section.rate)


def framed(signal: NDArray[np.float32], section: DataSection) -> NDArray[np.float32]:
    """float32[at most window] -> float32[1,window/frame,frame], with silence behind what is short."""
    whole = np.zeros(section.window, np.float32)
    whole[: len(signal)] = signal
    return whole.reshape(1, -1, section.frame)


def read_recording(path: Path | BinaryIO, rate: int) -> NDArray[np.float32]:
    """A recording in -1..1 at a rate, the mean of its channels: float32[N].

    Raises:
        Exception: of any kind, where the file is broken.
    """
    from scipy.io import wavfile

    with warnings.catch_warnings():
        # What follows the sound, or lacks at its end, is told by warnings: the sound is there.
        warnings.simplefilter("ignore")
        own, read = wavfile.read(path)
    if not 0 < own <= _MOST_RATE:
        raise ValueError(f"a rate of {own} Hz")
    signal = _to_unit(np.asarray(read))
    if signal.ndim > 1:
        with np.errstate(invalid="ignore", over="ignore"):
            signal = signal.mean(axis=1, dtype=np.float32)
    if own != rate and len(signal):
        from scipy.signal import resample_poly

        common = gcd(own, rate)
        if max(own, rate) // common > 100_000:
            raise ValueError(f"a rate of {own} Hz, which {rate} Hz cannot be made of")
        signal = resample_poly(signal, rate // common, own // common)
    return np.asarray(signal, np.float32)


def _to_unit(codes: NDArray[Any]) -> NDArray[np.float32]:
    """Codes of any type as -1..1; scipy gives those of 24 bits as 32, and those of 8 without a sign."""
    if codes.dtype == np.uint8:
        return ((codes.astype(np.float32) - 128) / 128).astype(np.float32)
    if np.issubdtype(codes.dtype, np.signedinteger):
        return (codes.astype(np.float64) / -float(np.iinfo(codes.dtype).min)).astype(np.float32)
    return codes.astype(np.float32)
