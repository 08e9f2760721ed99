# SPDX-License-Identifier: Apache-2.0
"""A trace: what a power meter recorded, whatever file it came in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dimmer.errors import DimmerError
from dimmer.toml import plain

Samples: TypeAlias = NDArray[np.float64]
Levels: TypeAlias = NDArray[np.bool_]

FEWEST = 4
"""Samples of a trace; with fewer there is nothing to find."""
_LOST = 1.8
"""Of the usual step."""


@dataclass(frozen=True)
class Window:
    """A stretch of a trace, with the inferences in it.

    Attributes:
        start: its first sample.
        stop: the sample behind its last.
        inferences: in it.
    """

    start: int
    stop: int
    inferences: int


@dataclass(frozen=True)
class Trace:
    """What a power meter recorded, at equal intervals.

    Attributes:
        kind: of the file, for people.
        interval_s: from one sample to the next, in seconds.
        milliwatts: float64[N]; None where only the current was recorded.
        milliamperes: float64[N]; None where only the power was recorded.
        millivolts: of the supply, the mean; None where it was not recorded.
        pins: bool[N, pins], the digital inputs; None without any.
        windows: that the file itself marks; empty where it marks none.
    """

    kind: str
    interval_s: float
    milliwatts: Samples | None = None
    milliamperes: Samples | None = None
    millivolts: float | None = None
    pins: Levels | None = None
    windows: tuple[Window, ...] = ()

    @property
    def drawn(self) -> Samples:
        """The current, or the power where that was not recorded: what inferences are found by."""
        values = self.milliwatts if self.milliamperes is None else self.milliamperes
        assert values is not None
        return values


def broken(path: Path, why: str) -> DimmerError:
    """An error in a line that names the file of a trace."""
    return DimmerError(f"{plain(str(path))}: {why}")


def checked(path: Path, trace: Trace) -> Trace:
    """The trace, if something can be found in it.

    Raises:
        DimmerError: it is too short, or holds what is no number.
    """
    if len(trace.drawn) < FEWEST:
        raise broken(path, f"{len(trace.drawn)} samples: record at least some inferences")
    for values in (trace.milliamperes, trace.milliwatts):
        wrong = np.flatnonzero(~np.isfinite(trace.drawn if values is None else values))
        if len(wrong):
            raise broken(path, f"sample {wrong[0] + 1:,} is no number: record again, or cut the trace there")
    if trace.millivolts is not None and not np.isfinite(trace.millivolts):
        raise broken(path, "its voltage holds what is no number: record again, or cut the trace there")
    if not 0 < trace.interval_s < 3600:
        raise broken(path, f"{trace.interval_s:g} s from sample to sample cannot be")
    return trace


def interval(path: Path, seconds: Samples) -> float:
    """The time from sample to sample, of the time of each.

    Raises:
        DimmerError: time stands still or steps back, or samples are missing.
    """
    if len(seconds) < FEWEST:
        raise broken(path, f"{len(seconds)} samples: record at least some inferences")
    steps = np.diff(seconds)
    middle = float(np.median(steps))
    if not middle > 0 or not np.all(np.isfinite(steps)):
        raise broken(path, "time stands still or steps back in it: record again")
    # Times are rounded, and a log's come not quite in time; a sample that is missing makes a step of two.
    if steps.max() > _LOST * middle or steps.min() < 0:
        where = int(np.argmax(np.abs(steps - middle)))
        raise broken(
            path, f"samples are missing, or time steps back, behind sample {where + 1:,}: record without losses"
        )
    return float(seconds[-1] - seconds[0]) / len(steps)
