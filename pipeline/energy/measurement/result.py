# SPDX-License-Identifier: Apache-2.0
"""What a trace says of an inference, and with what spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from dimmer.pipeline.energy.measurement.trace import Samples, Trace, Window, broken

_EDGE = 0.05
"""Of what lies between two stretches, at each end: settling is no sleep."""


@dataclass(frozen=True)
class Spread:
    """A figure over all inferences.

    Attributes:
        mean: of all.
        deviation: the standard deviation from one stretch of the trace to another.
    """

    mean: float
    deviation: float


@dataclass(frozen=True)
class Measured:
    """An inference as it was measured.

    Attributes:
        inferences: how many.
        stretches: in how many stretches of the trace these were.
        seconds: of one.
        microcoulombs: of one.
        microjoules: of one.
        millivolts: of the supply.
        between_ua: drawn between stretches: the median, with half of what lies between its quartiles; None where
            nothing lies between them.
    """

    inferences: int
    stretches: int
    seconds: Spread
    microcoulombs: Spread
    microjoules: Spread
    millivolts: float
    between_ua: Spread | None

    @property
    def milliamperes(self) -> float:
        """Drawn during an inference, the mean."""
        return self.microcoulombs.mean / self.seconds.mean / 1000


def measure(path: Path, trace: Trace, windows: Sequence[Window], millivolts: float | None) -> Measured:
    """Integrate a trace over its inferences.

    Args:
        path: of the trace, for errors.
        millivolts: of the supply; None for what the trace has.

    Raises:
        DimmerError: nobody says the voltage; an inference takes no time, or nothing from the supply.
    """
    supply = millivolts or trace.millivolts
    if supply is None or supply <= 0:
        raise broken(path, "it has no voltage: give that of the supply, in volts, with --volts")
    power, current = _both(trace, supply, asked=millivolts is not None)
    counts = np.array([window.inferences for window in windows], np.float64)
    lengths = np.array([window.stop - window.start for window in windows], np.float64)

    def spread(sums: Samples) -> Spread:
        # Stretches may hold different numbers of inferences.
        each = sums / counts
        mean = float(sums.sum() / counts.sum())
        return Spread(mean, float(np.sqrt(((each - mean) ** 2).sum() / (len(each) - 1))))

    seconds = spread(lengths * trace.interval_s)
    charge = spread(_sums(current, windows) * 1000 * trace.interval_s)
    taken = spread(_sums(power, windows) * 1000 * trace.interval_s)
    if not lengths.min() > 0:
        raise broken(path, f"stretch {int(lengths.argmin()) + 1} of its inferences has no samples: record again")
    if not (charge.mean > 0 and taken.mean > 0):
        raise broken(
            path, f"{taken.mean:,.4g} uJ an inference cannot be: turn the meter's leads round, or calibrate its zero"
        )
    return Measured(
        inferences=int(counts.sum()),
        stretches=len(windows),
        seconds=seconds,
        microcoulombs=charge,
        microjoules=taken,
        millivolts=supply,
        between_ua=_between(current, windows),
    )


def _both(trace: Trace, millivolts: float, asked: bool) -> tuple[Samples, Samples]:
    """Milliwatts and milliamperes; what was not recorded, from the other and the supply's voltage."""
    power, current = trace.milliwatts, trace.milliamperes
    if power is None or (asked and current is not None):
        assert current is not None
        return current * millivolts / 1000, current
    return power, power * 1000 / millivolts if current is None else current


def _sums(values: Samples, windows: Sequence[Window]) -> Samples:
    return np.array([values[window.start : window.stop].sum() for window in windows], np.float64)


def _between(current: Samples, windows: Sequence[Window]) -> Spread | None:
    parts = []
    for before, after in pairwise(windows):
        edge = int(_EDGE * (after.start - before.stop)) + 1
        part = current[before.stop + edge : after.start - edge]
        if len(part):
            parts.append(part)
    if not parts:
        return None
    low, middle, high = np.percentile(np.concatenate(parts) * 1000, [25, 50, 75])
    return Spread(float(middle), float(high - low) / 2)
