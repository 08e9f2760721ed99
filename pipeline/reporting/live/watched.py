# SPDX-License-Identifier: Apache-2.0
"""What a device has said so far: its mode, its charge and when that ends, latencies, predictions."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from dimmer.pipeline.reporting.live.lines import Seen, Told, read_line

MOST_POINTS = 240
"""Of the curve; of more every second goes."""
MOST_MODES = 255
"""That a network has; what tells of more is damaged."""
LAST = 8
"""Predictions that are shown."""
_CHARGED, _FEWEST, _LEAST_DROP = 20, 3, 5
"""A charge that rises by so many permille was charged; a trend needs so many points, and so many permille."""
_LEAST_S, _AT_ONCE_S = 10.0, 0.05
"""Of a trend; lines that come faster one after the other had waited somewhere, and tell of one moment, the last."""

Left = Literal["the device", "its trend"]


@dataclass(frozen=True)
class Share:
    """A mode, and how many inferences ran in it."""

    mode: str
    inferences: int


@dataclass(frozen=True)
class Prediction:
    """One answer.

    Attributes:
        time_s: of the device's clock, or since the first line.
    """

    time_s: float
    mode: str
    predicted: int
    score: int | None


@dataclass(frozen=True)
class Point:
    """A charge.

    Attributes:
        mode: None where the inference was left out.
    """

    time_s: float
    charge_permille: int
    mode: str | None


@dataclass(frozen=True)
class State:
    """All that is shown.

    Attributes:
        source: where the lines come from.
        over: whether there will be no more.
        mode: of the last inference that ran; None before the first.
        running: whether the last one that was wanted ran.
        left_s: seconds until the battery is empty, or down to the reserve; None where nobody can tell.
        left_by: who tells that.
        latency_ms: of the last inference.
        latency_modelled: whether that is a figure of the build's report, and not the device's own.
        left_out: inferences that the governor left out.
        unreadable: lines that are none of a device.
        message: the last one, of an error.
    """

    source: str
    over: bool
    time_s: float
    mode: str | None
    running: bool
    charge_permille: int | None
    millivolts: int | None
    left_s: float | None
    left_by: Left | None
    latency_ms: float | None
    latency_modelled: bool
    inferences: int
    left_out: int
    unreadable: int
    message: str
    modes: tuple[Share, ...]
    predictions: tuple[Prediction, ...]
    points: tuple[Point, ...]


class Watched:
    """Lines of one device; another thread may look at the state."""

    def __init__(self, source: str, modelled_ms: Mapping[str, float] | None = None) -> None:
        """Begins without a line.

        Args:
            modelled_ms: mode -> milliseconds of an inference, for devices that tell no latency.
        """
        self._source, self._modelled = source, dict(modelled_ms or {})
        self._lock = threading.Lock()
        self._last = Seen(None)
        self._mode: str | None = None
        self._time_s, self._over, self._message, self._unreadable, self._left_out = 0.0, False, "", 0, 0
        self._counts: Counter[str] = Counter()
        self._predictions: deque[Prediction] = deque(maxlen=LAST)
        self._points: list[Point] = []
        self._began_s: float | None = None
        self._since_charged = 0

    def take(self, at_s: float, line: str) -> bool:
        """One line.

        Args:
            at_s: seconds since the first one.

        Returns:
            Whether it tells of another mode than the one before.
        """
        if not line.strip():
            return False
        with self._lock:
            try:
                said = read_line(line)
            except ValueError:
                # Half a line, after a reset or at the beginning.
                self._unreadable += 1
                return False
            if isinstance(said, Seen) and self._is_one_too_many(said.mode):
                self._unreadable += 1
                return False
            if isinstance(said, Told):
                self._message = said.message
            if not isinstance(said, Seen):
                return False
            changed = self._inferences == 0 or said.mode != self._last.mode
            self._take_seen(said, at_s)
            return changed

    def end(self) -> None:
        """There will be no more lines."""
        with self._lock:
            self._over = True

    @property
    def _inferences(self) -> int:
        return self._counts.total() + self._left_out

    def _is_one_too_many(self, mode: str | None) -> bool:
        return mode is not None and mode not in self._counts and len(self._counts) >= MOST_MODES

    def _take_seen(self, seen: Seen, at_s: float) -> None:
        self._last, self._time_s = seen, self._time_of(seen, at_s)
        if seen.mode is None:
            self._left_out += 1
        else:
            self._mode = seen.mode
            self._counts[seen.mode] += 1
            if seen.predicted is not None:
                self._predictions.append(Prediction(self._time_s, seen.mode, seen.predicted, seen.score))
        if seen.charge_permille is not None:
            self._add_point(Point(self._time_s, seen.charge_permille, seen.mode))

    def _time_of(self, seen: Seen, at_s: float) -> float:
        """The device's clock, else the journal's since the first line: many of its lines may come at once."""
        if seen.time_s is not None or seen.written_s is None:
            return at_s if seen.time_s is None else seen.time_s
        if self._began_s is None:
            self._began_s = seen.written_s - at_s
        return round(seen.written_s - self._began_s, 3)

    def _add_point(self, point: Point) -> None:
        points = self._points
        if points and point.time_s < points[-1].time_s:
            # Its clock was set: what was before is of another time.
            points.clear()
            self._since_charged = 0
        if points and point.charge_permille >= points[-1].charge_permille + _CHARGED:
            self._since_charged = len(points)
        points.append(point)
        if len(points) > MOST_POINTS:
            self._points = points[::2]
            # The first that stays of those since then; the one before it is of the charge before.
            self._since_charged = (self._since_charged + 1) // 2

    def _trend_s(self) -> float | None:
        """Seconds until the charge is nothing, by the least squares of the points since it was charged."""
        since = self._points[self._since_charged :]
        points = [p for p, after in pairwise(since) if after.time_s - p.time_s >= _AT_ONCE_S] + since[-1:]
        if len(points) < _FEWEST or points[-1].time_s - points[0].time_s < _LEAST_S:
            return None
        if points[0].charge_permille - points[-1].charge_permille < _LEAST_DROP:
            return None
        times, charges = [p.time_s for p in points], [p.charge_permille for p in points]
        middle, level = sum(times) / len(times), sum(charges) / len(charges)
        spread = sum((t - middle) ** 2 for t in times)
        slope = sum((t - middle) * c for t, c in zip(times, charges, strict=True)) / spread
        return None if slope >= 0 else max(-(level + slope * (times[-1] - middle)) / slope, 0.0)

    def state(self) -> State:
        """As it is now."""
        with self._lock:
            last = self._last
            left_s, by = last.life_s, "the device"
            if left_s is None:
                left_s, by = self._trend_s(), "its trend"
            latency = None if last.latency_us is None else last.latency_us / 1000
            modelled = latency is None and self._mode is not None
            return State(
                source=self._source,
                over=self._over,
                time_s=self._time_s,
                mode=self._mode,
                running=last.mode is not None,
                charge_permille=last.charge_permille,
                millivolts=last.millivolts,
                left_s=left_s,
                left_by=None if left_s is None else by,  # type: ignore[arg-type]
                latency_ms=self._modelled.get(self._mode or "") if modelled else latency,
                latency_modelled=modelled and self._mode in self._modelled,
                inferences=self._inferences,
                left_out=self._left_out,
                unreadable=self._unreadable,
                message=self._message,
                modes=tuple(Share(mode, count) for mode, count in self._counts.most_common()),
                predictions=tuple(self._predictions),
                points=tuple(self._points),
            )
