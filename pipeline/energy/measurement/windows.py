# SPDX-License-Identifier: Apache-2.0
"""The inferences in a trace: where the file marks them, where a pin is high, or where more is drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dimmer.pipeline.energy.measurement.trace import Levels, Samples, Trace, Window, broken

_LEAST_RATIO = 1.3
"""Of what is drawn within and without; with less a threshold would find noise."""
_SHORT = 0.2
"""Of a usual length: what is shorter is no inference but a wake-up or a line on the UART."""


def find_windows(
    path: Path, trace: Trace, pin: int | None, threshold: float | None, inferences: int, gap_s: float
) -> tuple[Window, ...]:
    """Every whole inference, or stretch of several, at least two.

    Args:
        path: of the trace, for errors.
        pin: the input that is high during an inference; None for what the file marks, else a threshold.
        threshold: in milliamperes, or milliwatts where only the power was recorded; None for one half way between
            what is drawn within and without.
        inferences: in each stretch, where the file does not say.
        gap_s: seconds for which less may be drawn within a stretch.

    Raises:
        DimmerError: fewer than two were found.
    """
    if pin is None and threshold is None and trace.windows:
        return _enough(path, trace.windows, "the file marks")
    if pin is not None:
        levels, how = _level(path, trace, pin), f"input {pin} was high in"
    else:
        limit = _threshold(path, trace.drawn) if threshold is None else threshold
        unit = "mW" if trace.milliamperes is None else "mA"
        levels, how = trace.drawn > limit, f"more than {limit:,.4g} {unit} was drawn in"
    found = _stretches(levels, 0 if pin is not None else round(gap_s / trace.interval_s))
    if pin is None and found:
        usual = float(np.median([stop - start for start, stop in found]))
        found = [(start, stop) for start, stop in found if stop - start >= _SHORT * usual]
    return _enough(path, tuple(Window(start, stop, inferences) for start, stop in found), how)


def _enough(path: Path, windows: tuple[Window, ...], how: str) -> tuple[Window, ...]:
    if len(windows) < 2:
        raise broken(
            path, f"{how} {len(windows)} whole stretches: record at least two, or name another --pin or --threshold"
        )
    return windows


def _level(path: Path, trace: Trace, pin: int) -> Levels:
    if trace.pins is None:
        raise broken(path, "it has no digital inputs: export them, or leave --pin away")
    count = trace.pins.shape[1]
    if not 0 <= pin < count:
        raise broken(path, f"it has no input {pin}: name one from 0 to {count - 1} with --pin")
    level: Levels = trace.pins[:, pin]
    return level


def _threshold(path: Path, drawn: Samples) -> float:
    """Half way between the means of what lies under and over it (Ridler and Calvard, 1978)."""
    limit = float(drawn.min() + drawn.max()) / 2
    low = high = limit
    for _ in range(100):
        above = drawn > limit
        if not above.any() or above.all():
            break
        low, high = float(drawn[~above].mean()), float(drawn[above].mean())
        if abs((low + high) / 2 - limit) <= 1e-9 * abs(high):
            break
        limit = (low + high) / 2
    if high < _LEAST_RATIO * max(low, 0.0) or high <= low:
        raise broken(
            path,
            f"what is drawn hardly changes, {drawn.min():,.4g} to {drawn.max():,.4g}: let the board sleep between "
            "inferences, or give --pin or --threshold",
        )
    return limit


def _stretches(levels: Levels, gap: int) -> list[tuple[int, int]]:
    """First sample of each stretch and the one behind its last; those that the trace cuts are left out."""
    edges = np.diff(levels.astype(np.int8))
    starts = (np.flatnonzero(edges == 1) + 1).tolist()
    stops = (np.flatnonzero(edges == -1) + 1).tolist()
    if levels[0] and stops:
        starts.insert(0, 0)
    if levels[-1] and starts:
        stops.append(len(levels))
    joined: list[tuple[int, int]] = []
    for start, stop in zip(starts, stops, strict=True):
        if joined and start - joined[-1][1] <= gap:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return [(start, stop) for start, stop in joined if start > 0 and stop < len(levels)]
