# SPDX-License-Identifier: Apache-2.0
"""Decisions on a stream: parameters, and in integers what features/detector.c and activity.c compute."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dimmer.firmware_gen.features.fixed import Ints
from dimmer.firmware_gen.features.spec import within

NEVER = 32767
"""A threshold that no sum reaches: the class is no event."""
NOTHING = -1


@dataclass(frozen=True)
class DetectorSpec:
    """A posterior smoother and its thresholds.

    Attributes:
        thresholds: of each class the sum of `average` codes from which it is detected; NEVER where it is no event.
        average: of so many of the newest scores.
        quiet: inferences after a detection that detect nothing.
    """

    thresholds: tuple[int, ...]
    average: int
    quiet: int

    def __post_init__(self) -> None:
        within(len(self.thresholds), 1, 255, "thresholds (their count)")
        for threshold in self.thresholds:
            within(threshold, -128 * 255, NEVER, "thresholds")
        within(self.average, 1, 255, "average")
        within(self.quiet, 0, 65_535, "quiet")

    @property
    def memory(self) -> int:
        """Bytes of a stream, as DIMMER_DETECTOR_BYTES of the runtime has it."""
        return (2 + self.average) * len(self.thresholds)


@dataclass(frozen=True)
class ActivitySpec:
    """A gate that opens while a level lies over the quietest of late.

    Attributes:
        margin: over the floor, in the level's units.
        rise, fall: share by which the floor follows a higher, and a lower, level.
        hold: rows that count as active behind one that is.
    """

    margin: int
    rise: float = 0.002
    fall: float = 0.25
    hold: int = 50

    def __post_init__(self) -> None:
        within(self.margin, 0, 2**30, "margin")
        within(self.rise, 0, 0.999, "rise")
        within(self.fall, 0, 0.999, "fall")
        within(self.hold, 0, 65_534, "hold")

    @property
    def shares(self) -> tuple[int, int]:
        """Rise and fall, Q16."""
        return round(self.rise * 65536), round(self.fall * 65536)


def smoothed(scores: npt.NDArray[np.int8], average: int) -> Ints:
    """Sums of the newest `average` codes, int64[n, classes]; before the first there was the least code."""
    padded = np.concatenate([np.full((average, scores.shape[1]), -128), np.asarray(scores, dtype=np.int64)])
    total = np.cumsum(padded, axis=0)
    return np.asarray(total[average:] - total[:-average], dtype=np.int64)


def detections(spec: DetectorSpec, scores: npt.NDArray[np.int8]) -> Ints:
    """What each inference detects: class, or NOTHING; int64[n] of int8[n, classes]."""
    sums = smoothed(scores, spec.average)
    over = np.where(sums >= np.array(spec.thresholds), sums, np.iinfo(np.int64).min)
    best = np.where((sums >= np.array(spec.thresholds)).any(axis=1), over.argmax(axis=1), NOTHING)
    found = np.full(len(best), NOTHING, dtype=np.int64)
    free = 0
    for number in map(int, np.flatnonzero(best != NOTHING)):
        if number >= free:
            found[number] = best[number]
            free = number + 1 + spec.quiet
    return found


def activity(spec: ActivitySpec, levels: Ints) -> npt.NDArray[np.bool_]:
    """Of each row whether something happens: bool[n] of int64[n]."""
    rise, fall = spec.shares
    found = np.zeros(len(levels), dtype=np.bool_)
    floor, active = int(levels[0]) if len(levels) else 0, 0
    for number, level in enumerate(map(int, levels)):
        over = level - floor
        if over > spec.margin:
            active = spec.hold + 1
        floor += (over * rise) >> 16 if over >= 0 else -((-over * fall) >> 16)
        found[number] = active > 0
        active = max(0, active - 1)
    return found
