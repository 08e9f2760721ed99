# SPDX-License-Identifier: Apache-2.0
"""Traces as tables of numbers: CSV files of Nordic's PPK2, of Joulescopes, and of logs with names of columns."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dimmer.pipeline.energy.measurement.trace import FEWEST, Levels, Samples, Trace, broken, interval
from dimmer.toml import shown

Codes: TypeAlias = NDArray[np.int64]

_PPK2, _ALL_PINS = "Timestamp(ms)", "D0-D7"
_MOST_PINS = 8
_CODES = {"0": "0", "1": "1", "X": "2", "-": "3"}

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
_WHOLE = {"seconds": ("s", 1.0), "milliamperes": ("A", 1e3), "millivolts": ("V", 1e3), "milliwatts": ("W", 1e3)}
"""What is kept -> the unit without a prefix, and how many of it that is."""
_NAMED = re.compile(r"#?\s*([A-Za-z_]+)\s*(?:\(([^()]*)\))?")


def read_ppk2(path: Path) -> Trace:
    """A CSV export of Nordic's Power Profiler Kit II: time in ms, current in uA, eight inputs or none.

    The inputs are one column of eight digits, the first of input 0, or a column each, or both; they are found by their
    names, and other columns are not read. Below 100,000 samples a second a line stands for several samples: X is an
    input that changed in them, and is taken as it was before, so that both edges come late by the same; - is one that
    nobody knows, and is taken as low.

    Raises:
        DimmerError: the file is broken.
    """
    header = _header(path)
    if header[:2] != [_PPK2, "Current(uA)"]:
        raise broken(path, f"its first line is {shown(','.join(header))}: export {_PPK2},Current(uA) and digital pins")
    inputs = {_ALL_PINS: header.index(_ALL_PINS)} if _ALL_PINS in header else _each_pin(header)
    read: dict[int | str, Callable[[str], float]] = dict.fromkeys(range(2, len(header)), _nothing)
    read |= dict.fromkeys(inputs.values(), partial(_code, digits=_MOST_PINS if _ALL_PINS in inputs else 1))
    rows = _rows(path, len(header), read)
    pins = _pins(path, {name: rows[:, column] for name, column in inputs.items()}) if inputs else None
    return Trace("Nordic PPK2", interval(path, rows[:, 0] / 1000), milliamperes=rows[:, 1] / 1000, pins=pins)


def _nothing(text: str) -> float:
    """Of a column that is not read."""
    del text
    return 0.0


def _each_pin(header: Sequence[str]) -> dict[str, int]:
    """The columns of single inputs, by their names."""
    named = (f"D{pin}" for pin in range(_MOST_PINS))
    return {name: header.index(name) for name in named if name in header}


@lru_cache(maxsize=1024)
def _code(text: str, digits: int) -> float:
    """Levels of so many inputs as a number of digits of base 4; not a number where they are none.

    A table's program that the file went through may have taken zeros away in front.

    Example:
        >>> _code("01X-", 4)
        27.0
    """
    padded = text.strip().upper().rjust(digits, "0") if text.strip() else ""
    if len(padded) != digits or set(padded) - set(_CODES):
        return math.nan
    return float(int("".join(_CODES[one] for one in padded), 4))


def _pins(path: Path, columns: Mapping[str, Samples]) -> Levels:
    """The levels of all inputs, of the columns that there are: bool[N, 8]."""
    codes = {name: _codes(path, column) for name, column in columns.items()}
    if _ALL_PINS in codes:
        # The first digit is of input 0.
        codes = {f"D{pin}": codes[_ALL_PINS] // 4 ** (_MOST_PINS - 1 - pin) % 4 for pin in range(_MOST_PINS)}
    low = np.zeros(len(next(iter(codes.values()))), np.bool_)
    named = (f"D{pin}" for pin in range(_MOST_PINS))
    return np.stack([_level(codes[name]) if name in codes else low for name in named], axis=1)


def _codes(path: Path, column: Samples) -> Codes:
    if np.isnan(column).any():
        raise broken(path, "its digital inputs hold something else than digits of 0, 1, X and -")
    return column.astype(np.int64)


def _level(codes: Codes) -> Levels:
    """Of one input: where it changed within a line, as it was before."""
    known = np.where(codes == int(_CODES["X"]), 0, np.arange(len(codes)))
    levels: Levels = codes[np.maximum.accumulate(known)] == 1
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
            if named[2] is not None:
                scale = _of_unit(path, name, named[2], what)
            found[what] = rows[:, number] * scale
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


def _of_unit(path: Path, name: str, unit: str, what: str) -> float:
    """How many of what is kept the unit behind a column's name is; the name says nothing of it then."""
    symbol, whole = _WHOLE[what]
    prefix, rest = unit.strip()[:-1], unit.strip()[-1:]
    if rest != symbol or prefix not in _UNITS:
        raise broken(
            path, f"the unit of its column {shown(name)} is not known: {symbol}, m{symbol}, u{symbol}, n{symbol} are"
        )
    return whole * _UNITS[prefix]


def _header(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            return [name.strip() for name in file.readline(4096).strip().split(",")]
    except OSError as error:
        raise broken(path, f"cannot be read: {error.strerror}") from error


def _rows(path: Path, columns: int, read: Mapping[int | str, Callable[[str], float]] | None = None) -> Samples:
    """The numbers below the header: float64[rows, columns].

    Args:
        read: column -> what makes a number of its text, where it is none by itself.
    """
    try:
        with warnings.catch_warnings():
            # It is told below, as an error.
            warnings.simplefilter("ignore", UserWarning)
            rows = np.loadtxt(
                path, delimiter=",", skiprows=1, ndmin=2, comments=None, encoding="utf-8-sig", converters=read or None
            )
    except (ValueError, OSError, UnicodeDecodeError) as error:
        said = re.sub(r"\s+", " ", str(error)).split("; use ")[0]
        raise broken(path, f"below its first line are no {columns} numbers a line: {said[:120]}") from error
    if len(rows) < FEWEST or rows.shape[1] != columns:
        raise broken(path, f"it has {len(rows)} lines of {rows.shape[1]} numbers: record longer, {columns} a line")
    return rows.astype(np.float64)
