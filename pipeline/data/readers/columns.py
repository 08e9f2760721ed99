# SPDX-License-Identifier: Apache-2.0
"""CSV and Parquet files as columns of texts or numbers."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]
_MOST_CELL = 1 << 20
_DELIMITERS = ",;\t"


def read_columns(path: Path, wanted: Sequence[str] = ()) -> dict[str, Column]:
    """Name -> column, all of one length; those that are wanted, or all.

    Raises:
        ValueError: a column is missing, or the file is no table.
        Exception: of any kind, where the file is broken.
    """
    found = _parquet(path, wanted) if path.suffix.lower() == ".parquet" else _csv(path, wanted)
    for name in wanted:
        if name not in found:
            raise ValueError(f"it has no column {name!r}")
    return found


def names_of_columns(path: Path) -> tuple[str, ...]:
    """Names of a table's columns, in their order; raises as `read_columns`."""
    if path.suffix.lower() == ".parquet":
        from pyarrow import parquet

        return tuple(map(str, parquet.read_schema(path).names))
    with path.open(encoding="utf-8-sig", newline="") as file:
        return tuple(_header(file.readline())[1])


def numbers(column: Column) -> NDArray[np.float32]:
    """A column as float32; what is no number is NaN.

    Examples:
        >>> numbers(np.array(["1.5", "", "x"]))
        array([1.5, nan, nan], dtype=float32)
    """
    with np.errstate(over="ignore"):
        try:
            return column.astype(np.float64).astype(np.float32)
        except (ValueError, TypeError):
            return np.array([_number(value) for value in column], np.float32)


def text(value: Any) -> str:
    """A cell as a label is written: whole numbers without a point.

    Examples:
        >>> text(3.0), text("3.0"), text(" walk "), text(np.True_), text(None), text(float("nan"))
        ('3', '3', 'walk', '1', '', '')
    """
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip()
    if isinstance(value, float | np.floating) and np.isnan(value):
        # How a file of numbers has what is missing.
        return ""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return re.sub(r"^(-?\d+)\.0+$", r"\1", str(value).strip())


def _number(value: Any) -> float:
    try:
        return float(value)
    except (ValueError, TypeError, OverflowError):
        return float("nan")


def _csv(path: Path, wanted: Sequence[str]) -> dict[str, Column]:
    csv.field_size_limit(_MOST_CELL)
    with path.open(encoding="utf-8-sig", newline="") as file:
        delimiter, names = _header(file.readline())
        places = [(name, number) for number, name in enumerate(names) if not wanted or name in wanted]
        twice = next((name for name, number in places if name in names[:number] and (name or wanted)), None)
        if twice is not None:
            raise ValueError(f"its first line names {twice!r} twice")
        cells: list[list[str]] = [[] for _ in places]
        reader = csv.reader(file, delimiter=delimiter, skipinitialspace=True, strict=True)
        last = 1
        for row in reader:
            first, last = last + 1, reader.line_num + 1
            if last > first and any(_has_rows(cell, delimiter, len(names)) for cell in row):
                raise ValueError(f"line {first} has a quotation mark that is closed only behind other rows")
            if not row:
                continue
            if any(map(str.strip, row[len(names) :])):
                # A decimal comma, or names of rows: whose cell is whose cannot be told.
                line = reader.line_num + 1
                raise ValueError(f"line {line} has {len(row)} cells, the first line names {len(names)}")
            for column, (_, number) in zip(cells, places, strict=True):
                column.append(row[number] if number < len(row) else "")
    return {name: np.array(column, object) for (name, _), column in zip(places, cells, strict=True)}


def _has_rows(cell: str, delimiter: str, columns: int) -> bool:
    """Whether further lines of a cell look as rows of the table do."""
    return columns > 1 and any(line.count(delimiter) >= columns - 1 for line in cell.split("\n")[1:])


def _header(line: str) -> tuple[str, list[str]]:
    """The delimiter of a table and the names in its first line."""
    if not line.strip() or "\0" in line:
        raise ValueError("its first line names no columns")
    delimiter = max(_DELIMITERS, key=line.count)
    return delimiter, [name.strip() for name in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))]


def _parquet(path: Path, wanted: Sequence[str]) -> dict[str, Column]:
    from pyarrow import parquet

    known = parquet.read_schema(path).names
    table = parquet.read_table(path, columns=[name for name in known if not wanted or name in wanted])
    return {name: _cells(table.column(name)) for name in table.column_names}


def _cells(column: Any) -> Column:
    """A column of a table. Of labels and whole numbers what is missing is empty, as in a CSV: they would become floats,
    and what is missing NaN, which is not equal to itself.
    """
    from pyarrow import types

    if column.null_count and not types.is_floating(column.type):
        return np.array(["" if value is None else value for value in column.to_pylist()], object)
    values: Column = column.to_numpy()
    return values
