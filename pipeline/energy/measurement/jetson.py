# SPDX-License-Identifier: Apache-2.0
"""Logs of tegrastats on Jetson boards."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import numpy as np

from dimmer.pipeline.energy.measurement.trace import Trace, broken
from dimmer.toml import shown

RAIL = "VDD_IN"
"""The whole module's."""
_POWER = re.compile(r"\b(V[A-Z0-9_]+) (\d+)(?:mW)?/(\d+)(?:mW)?")
"""Now and on an average; older versions write no unit."""
_TIME = len("11-29-2026 04:00:00")
_CLOCK_S, _UNEVEN = 1.0, 0.25
"""Times are written to a second; between lines it sleeps, and its own work comes on top of that."""


def looks_like_tegrastats(line: str) -> bool:
    """Whether a line is one of tegrastats with power rails."""
    return "RAM " in line and _POWER.search(line) is not None


def read_tegrastats(path: Path, rail: str, interval_ms: int) -> Trace:
    """The power of a rail, a line each.

    Args:
        rail: its name there, such as VDD_IN.
        interval_ms: from line to line, as `tegrastats --interval` was told.

    Raises:
        DimmerError: the file cannot be read, a line lacks the rail, or the lines' own times tell another interval.
    """
    try:
        lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
    except OSError as error:
        raise broken(path, f"cannot be read: {error.strerror}") from error
    power = []
    for number, line in enumerate(lines, start=1):
        rails = {name: int(now) for name, now, _ in _POWER.findall(line)}
        if not rails:
            raise broken(path, f"line {number} is no whole line of tegrastats: cut the log there")
        if rail not in rails:
            raise broken(path, f"line {number} has no rail {shown(rail)}, but {', '.join(rails)}: name one with --rail")
        power.append(float(rails[rail]))
    _check_interval(path, lines, interval_ms)
    return Trace(f"tegrastats, {rail}", interval_ms / 1000, milliwatts=np.asarray(power, np.float64))


def _check_interval(path: Path, lines: list[str], interval_ms: int) -> None:
    """Compares an interval with the lines' times, which newer versions write, to a second.

    Raises:
        DimmerError: it is another one; energies would be wrong by the same factor.
    """
    if len(lines) < 2:
        return
    try:
        first, last = (datetime.strptime(line[:_TIME], "%m-%d-%Y %H:%M:%S") for line in (lines[0], lines[-1]))
    except ValueError:
        return
    told, found = (len(lines) - 1) * interval_ms / 1000, (last - first).total_seconds()
    if abs(found - told) > _CLOCK_S + _UNEVEN * told:
        each = 1000 * found / (len(lines) - 1)
        raise broken(
            path,
            f"its lines are {each:.0f} ms apart by their own times, not {interval_ms}: name it with --interval-ms",
        )
