# SPDX-License-Identifier: Apache-2.0
"""A trace's file, whose kind is told from what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dimmer.pipeline.energy.measurement import jls, mlperf
from dimmer.pipeline.energy.measurement.jetson import RAIL, looks_like_tegrastats, read_tegrastats
from dimmer.pipeline.energy.measurement.tables import read_named, read_ppk2
from dimmer.pipeline.energy.measurement.trace import Trace, broken, checked

_HEAD = 4096


@dataclass(frozen=True)
class Told:
    """What the file does not say and its reader needs.

    Attributes:
        inferences: in each window that the file marks; None where it says so itself, or nobody does.
        rail: of tegrastats.
        interval_ms: from one line of tegrastats to the next.
    """

    inferences: int | None = None
    rail: str = RAIL
    interval_ms: int = 1000


def read_trace(path: Path, told: Told = Told()) -> Trace:
    """A trace of Nordic's PPK2 (CSV), of a Joulescope (CSV, JLS), of MLPerf Tiny, of tegrastats, of an INA3221.

    Raises:
        DimmerError: the file is missing, broken, or of no known kind.
    """
    return checked(path, _read(path, told))


def _read(path: Path, told: Told) -> Trace:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise broken(path, f"cannot be read: {error.strerror}") from error
    if head.startswith(mlperf.MARK):
        return mlperf.read_monitor(path, told.inferences)
    if head.startswith(jls.MARK):
        return jls.read_jls(path)
    text = head.decode("utf-8-sig", errors="replace").lstrip()
    first = text.split("\n", 1)[0].strip()
    if text.startswith("["):
        return mlperf.read_runner(path)
    if first.lower().startswith("timestamp(ms)"):
        return read_ppk2(path)
    if looks_like_tegrastats(first):
        return read_tegrastats(path, told.rail, told.interval_ms)
    if "," in first and first.lstrip("#").strip().lower().startswith("time"):
        return read_named(path)
    raise broken(
        path,
        "it is no trace that is known here: PPK2 or Joulescope CSV, JLS, MLPerf Tiny's trace1-energy.bin or "
        "results.json, tegrastats, or a CSV whose first line names time, current, voltage, power",
    )
