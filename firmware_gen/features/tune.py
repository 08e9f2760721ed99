# SPDX-License-Identifier: Apache-2.0
"""A detector's threshold from recordings that it was not trained on: the fewest misses at so many false alarms an hour.

A recording is a stream of scores and the events in it. A detection of an event's class from its begin to `tolerance`
inferences behind its end hits it; what hits no event, or one that was hit already, is a false alarm.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dimmer.firmware_gen.features.detector import NEVER, NOTHING, DetectorSpec, detections, smoothed
from dimmer.firmware_gen.features.spec import check, within

MOST_STEPS = 64
"""Thresholds that are tried."""
_Z = 1.96


@dataclass(frozen=True)
class Event:
    """What is to be detected: its class, and the inferences from `begin` to before `end` that see it."""

    label: int
    begin: int
    end: int


@dataclass(frozen=True)
class Recording:
    """Scores, int8[n, classes], and the events in them."""

    scores: npt.NDArray[np.int8]
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Outcome:
    """What a detector makes of recordings.

    Attributes:
        events, missed: counts.
        alarms: detections that hit no event.
        hours: of all recordings.
    """

    events: int
    missed: int
    alarms: int
    hours: float

    @property
    def alarms_per_hour(self) -> float:
        """False alarms an hour."""
        return self.alarms / self.hours

    @property
    def miss_interval(self) -> tuple[float, float]:
        """Of the share of events that are missed, 95 % (Wilson)."""
        return _wilson(self.missed, self.events)

    @property
    def alarm_interval(self) -> tuple[float, float]:
        """Of false alarms an hour, 95 % (Poisson, by the normal approximation of its square root)."""
        low = max(0.0, math.sqrt(self.alarms) - _Z / 2) ** 2
        return low / self.hours, (math.sqrt(self.alarms + 1) + _Z / 2) ** 2 / self.hours


@dataclass(frozen=True)
class Tuned:
    """A detector, what it makes of the recordings, and every threshold that was tried beside what it makes of them."""

    detector: DetectorSpec
    outcome: Outcome
    tried: tuple[tuple[int, Outcome], ...]


def evaluate(detector: DetectorSpec, recordings: Sequence[Recording], period_s: float, tolerance: int) -> Outcome:
    """Hits, misses and false alarms of a detector.

    Args:
        period_s: from one inference to the next.
        tolerance: inferences behind an event in which it still counts as detected.
    """
    events = missed = alarms = length = 0
    for recording in recordings:
        found = detections(detector, recording.scores)
        places = [int(place) for place in np.flatnonzero(found != NOTHING)]
        hit: set[int] = set()
        for place in places:
            number = _event_at(recording.events, int(found[place]), place, tolerance, hit)
            if number is None:
                alarms += 1
            else:
                hit.add(number)
        events += len(recording.events)
        missed += len(recording.events) - len(hit)
        length += len(recording.scores)
    return Outcome(events, missed, alarms, length * period_s / 3600)


def tune(
    recordings: Sequence[Recording],
    wanted: Sequence[int],
    period_s: float,
    alarms_per_hour: float,
    *,
    average: int = 4,
    quiet: int = 0,
    tolerance: int = 0,
) -> Tuned:
    """The lowest threshold, one for all wanted classes, from which on false alarms are no more than so many an hour.

    Args:
        wanted: classes that are events.

    Raises:
        SpecError: nothing to tune by, or more alarms than allowed at every threshold.
    """
    check(len(recordings) > 0 and all(len(one.scores) for one in recordings), "recordings", "must hold inferences")
    within(period_s, 1e-6, 1e6, "period_s")
    within(alarms_per_hour, 0, 1e6, "alarms_per_hour")
    classes = recordings[0].scores.shape[1]
    check(len(wanted) > 0 and all(0 <= label < classes for label in wanted), "wanted", f"must be 0 to {classes - 1}")
    seen = np.unique(np.concatenate([smoothed(one.scores, average)[:, list(wanted)].ravel() for one in recordings]))
    steps = np.unique(np.quantile(seen, np.linspace(0, 1, MOST_STEPS)).round().astype(np.int64))
    base = DetectorSpec((NEVER,) * classes, average, quiet)
    tried: list[tuple[int, Outcome]] = []
    for threshold in map(int, steps[::-1]):
        detector = replace(base, thresholds=tuple(threshold if k in wanted else NEVER for k in range(classes)))
        tried.append((threshold, evaluate(detector, recordings, period_s, tolerance)))
    # From the highest one down, as long as it is quiet enough: a lower one that is quieter by chance is none.
    good = []
    for threshold, outcome in tried:
        if outcome.alarms_per_hour > alarms_per_hour:
            break
        good.append((threshold, outcome))
    least = min(outcome.alarms_per_hour for _, outcome in tried)
    check(len(good) > 0, "alarms_per_hour", f"must be {least:.3g} or more: no threshold has fewer")
    fewest = min(outcome.missed for _, outcome in good)
    threshold, outcome = next((t, o) for t, o in good if o.missed == fewest)
    thresholds = tuple(threshold if k in wanted else NEVER for k in range(classes))
    return Tuned(replace(base, thresholds=thresholds), outcome, tuple(tried))


@dataclass(frozen=True)
class GateEnergy:
    """What a gate saves.

    Attributes:
        open_share: of rows at which it was open.
        with_uj, without_uj: an hour, of features and inferences; with the gate, inferences only where it was open.
    """

    open_share: float
    with_uj: float
    without_uj: float


def gate_energy(
    active: npt.NDArray[np.bool_], rows_per_hour: float, row_uj: float, inference_uj: float, rows_per_inference: int
) -> GateEnergy:
    """The energy of an hour with and without a gate: features are computed in either case.

    Args:
        active: of each row, as `activity` says.
        row_uj: energy of a row of features; inference_uj: of an inference.
    """
    check(len(active) > 0, "active", "must hold rows")
    share = float(active.mean())
    features, inferences = rows_per_hour * row_uj, rows_per_hour / rows_per_inference * inference_uj
    return GateEnergy(share, features + share * inferences, features + inferences)


def _event_at(events: Sequence[Event], label: int, place: int, tolerance: int, hit: set[int]) -> int | None:
    for number, event in enumerate(events):
        if number not in hit and event.label == label and event.begin <= place < event.end + tolerance:
            return number
    return None


def _wilson(count: int, of: int) -> tuple[float, float]:
    if of == 0:
        return 0.0, 1.0
    share, square = count / of, _Z * _Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = _Z / (1 + square / of) * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)
