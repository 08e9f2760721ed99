# SPDX-License-Identifier: Apache-2.0
"""Traces as tables of numbers: CSV files of Nordic's PPK2, of Joulescopes, and of logs with names of columns."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dimmer.pipeline.energy.measurement.trace import FEWEST, Levels, Samples, Trace, broken, interval
from dimmer.toml import shown

_PPK2 = "Timestamp(ms)"
_MOST_PINS = 8

_COLUMNS: Mapping[str, tuple[str, float]] = {
    "time": ("seconds", 1.0),
    "time_s": ("seconds", 1.0),
    "time_ms": ("seconds", 1e-3),
    "current": ("milliamperes", 1e3),
    "milliamperes": ("milliamperes", 1.0),
    "voltage": ("millivolts", 1e3),
    "millivolts": ("millivolts", 1.0),
    "power": ("milliwatts", 1e3),
    "milliwatts": ("milliwatts", 1.0),
}
"""Name of a column -> what it is, and how many of that its unit is, where the header has no unit of its own."""
_UNITS = {"m": 1e-3, "u": 1e-6, "µ": 1e-6, "n": 1e-9, "": 1.0}
_SYMBOLS = {"seconds": "s", "milliamperes": "A", "millivolts": "V", "milliwatts": "W"}
_NAMED = re.compile(r"#?\s*([A-Za-z_]+)\s*(?:\(([^()]*)\))?")


def read_ppk2(path: Path) -> Trace:
    """A CSV export of Nordic's Power Profiler Kit II: time in ms, current in uA, eight inputs or none.

    The inputs are one column of eight digits, the first of input 0, or a column each. The voltage is in no column.

    Raises:
        DimmerError: the file is broken.
    """
    header = _header(path)
    if header[:2] != [_PPK2, "Current(uA)"]:
        raise broken(path, f"its first line is {shown(','.join(header))}: export {_PPK2},Current(uA) and digital pins")
    rows = _rows(path, len(header))
    digital = rows[:, 2:]
    pins: Levels | None = None
    if header[2:] == ["D0-D7"]:
        pins = _digits(path, digital[:, 0])
    elif digital.shape[1]:
        pins = digital > 0.5
    return Trace("Nordic PPK2", interval(path, rows[:, 0] / 1000), milliamperes=rows[:, 1] / 1000, pins=pins)


def _digits(path: Path, column: Samples) -> Levels:
    """Columns of bits of numbers such as 01000000, which was read as 1,000,000."""
    numbers = column.astype(np.int64)
    pins = np.stack([numbers // 10 ** (_MOST_PINS - 1 - pin) % 10 for pin in range(_MOST_PINS)], axis=1)
    if np.any(numbers != column) or np.any(pins > 1) or np.any(numbers >= 10**_MOST_PINS):
        raise broken(path, "D0-D7 holds something else than eight digits of 0 and 1")
    levels: Levels = pins == 1
    return levels


def read_named(path: Path) -> Trace:
    """A CSV file whose first line names columns: of a Joulescope, or a log of an INA3221.

    Names are time, current, voltage and power, in s, A, V and W or with the unit behind them, as in current(mA); or
    time_s, milliamperes, millivolts and milliwatts. Other columns are not read.

    Raises:
        DimmerError: the file is broken, has no time, neither current nor power, two columns of the same, or a unit
            that is not known.
    """
    header = _header(path)
    rows = _rows(path, len(header))
    found: dict[str, Samples] = {}
    for number, name in enumerate(header):
        named = _NAMED.fullmatch(name.strip())
        known = None if named is None else _COLUMNS.get(named[1].lower())
        if named is not None and known is not None:
            what, scale = known
            if what in found:
                raise broken(path, f"two columns tell its {what}: leave one of them out")
            found[what] = rows[:, number] * scale * _prefix(path, name, named[2], _SYMBOLS[what])
    if "seconds" not in found or not {"milliamperes", "milliwatts"} & set(found):
        columns = shown(",".join(header))
        raise broken(path, f"its columns are {columns}: name them time, and current or power, and voltage where known")
    current, power, volts = (found.get(name) for name in ("milliamperes", "milliwatts", "millivolts"))
    if power is None and current is not None and volts is not None:
        power = current * volts / 1000
    mean = None if volts is None else float(volts.mean())
    if mean is None and current is not None and power is not None and current.sum() > 0:
        mean = 1000 * float(power.sum() / current.sum())
    return Trace("table with names of columns", interval(path, found["seconds"]), power, current, mean)


def _prefix(path: Path, name: str, unit: str | None, symbol: str) -> float:
    """How many of the unit without a prefix the unit behind a column's name is."""
    if unit is None:
        return 1.0
    prefix, rest = unit.strip()[:-1], unit.strip()[-1:]
    if rest != symbol or prefix not in _UNITS:
        raise broken(
            path, f"the unit of its column {shown(name)} is not known: {symbol}, m{symbol}, u{symbol}, n{symbol} are"
        )
    return _UNITS[prefix]


def _header(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            return [name.strip() for name in file.readline(4096).strip().split(",")]
    except OSError as error:
        raise broken(path, f"cannot be read: {error.strerror}") from error


def _rows(path: Path, columns: int) -> Samples:
    """The numbers below the header: float64[rows, columns]."""
    try:
        with warnings.catch_warnings():
            # It is told below, as an error.
            warnings.simplefilter("ignore", UserWarning)
            rows = np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2, comments=None, encoding="utf-8-sig")
    except (ValueError, OSError, UnicodeDecodeError) as error:
        said = re.sub(r"\s+", " ", str(error)).split("; use ")[0]
        raise broken(path, f"below its first line are no {columns} numbers a line: {said[:120]}") from error
    if len(rows) < FEWEST or rows.shape[1] != columns:
        raise broken(path, f"it has {len(rows)} lines of {rows.shape[1]} numbers: record longer, {columns} a line")
    return rows.astype(np.float64)
