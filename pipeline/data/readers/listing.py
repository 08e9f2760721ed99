# SPDX-License-Identifier: Apache-2.0
"""Which files are samples, and what is known of each: from the folders that they lie in, or from a table."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from dimmer.errors import DimmerError
from dimmer.pipeline.data.door import reason_of
from dimmer.pipeline.data.own import DataSection, OwnData
from dimmer.pipeline.data.readers.sample import Problem, files_below, regular, shown_name, split_of
from dimmer.toml import plain

FILE_COLUMN = "file"
_MOST_CELL = 1 << 20


@dataclass(frozen=True)
class Listed:
    """A file that is a sample, or holds several.

    Attributes:
        path: of the file.
        name: its path below the data's folder, on one line.
        labels, group, split: as of `Sample`.
    """

    path: Path
    name: str
    labels: tuple[str, ...]
    group: str
    split: str


def listed_files(data: OwnData, suffixes: Collection[str]) -> tuple[Path, ...]:
    """Every file that is read, the table among them.

    Raises:
        DimmerError: the folder cannot be read, or has none.
    """
    folder = data.place
    found = files_below(folder, suffixes)
    if not found:
        kinds = ", ".join(sorted(suffixes))
        raise DimmerError(f"{plain(str(folder))} has no file that ends in {kinds}: correct [data] path")
    return (*found, folder / data.section.table) if data.section.table else found


def listed(data: OwnData, suffixes: Collection[str], problems: list[Problem]) -> Iterator[Listed]:
    """Files in the order of their paths; what is wrong with others is added to the problems.

    Raises:
        DimmerError: the folder or the table cannot be read, or does not fit the recipe.
    """
    folder, section = data.place, data.section
    table = _table(data) if section.table else None
    known = set(section.classes)
    for path in regular(files_below(folder, suffixes), folder, problems):
        inner, name = path.relative_to(folder), shown_name(path, folder)
        row = None if table is None else table.get(inner.as_posix())
        if table is not None and row is None:
            problems.append(Problem(name, f"is not in {section.table}"))
            continue
        folders = inner.parts[:-1]
        # A class may be called as a split is.
        given = split_of(folders[0]) if folders and folders[0] not in known else None
        folders = folders[1:] if given else folders
        if not section.label and not folders:
            problems.append(Problem(name, "lies in no sub-folder, which would be its class"))
        elif not section.label and folders[0] not in known:
            problems.append(Problem(name, f"its sub-folder {plain(folders[0])} is not in [data] classes"))
        elif row is not None:
            yield _of_row(section, path, name, row, folders[:1], given or "")
        else:
            yield Listed(path, name, folders[:1], _group(section.group, inner.as_posix()), given or "")
    for missing in sorted(set(table or ()) - {p.relative_to(folder).as_posix() for p in files_below(folder, suffixes)}):
        # One of another format is there, and is named as such.
        if not (folder / missing).is_file():
            problems.append(Problem(plain(missing), f"is in {section.table}, and is no file here"))


def _of_row(
    section: DataSection, path: Path, name: str, row: Mapping[str, str], own: tuple[str, ...], given: str
) -> Listed:
    """What a row of the table says of a file.

    Args:
        own: the class by its sub-folder, where no column has it.
        given: the split by its sub-folder, where no column has it.
    """
    labels = tuple(row[column] for column in section.label) or own
    split = row[section.split] if section.split else ""
    found = split_of(split) if split else ""
    if found is None:
        raise DimmerError(f"{section.table}: {name}: the split {plain(split)!r} is none of train, val and test")
    return Listed(path, name, labels, row[section.group] if section.group else "", found or given)


def _group(pattern: str, path: str) -> str:
    match = re.search(pattern, path) if pattern else None
    return match[1] or "" if match else ""


def _table(data: OwnData) -> dict[str, dict[str, str]]:
    """Path below the folder -> row.

    Raises:
        DimmerError: it cannot be read, lacks a column, or names a file twice.
    """
    section, path = data.section, data.place / data.section.table
    needed = (FILE_COLUMN, *section.label, *filter(None, (section.group, section.split)))
    try:
        return _read_table(path, needed, path.stat().st_mtime_ns)
    except (OSError, ValueError, csv.Error) as error:
        why = reason_of(error)
        raise DimmerError(f"{plain(str(path))} cannot be read ({plain(why)}): correct [data] table") from error


@lru_cache(maxsize=4)
def _read_table(path: Path, needed: tuple[str, ...], _mtime_ns: int) -> dict[str, dict[str, str]]:
    csv.field_size_limit(_MOST_CELL)
    found: dict[str, dict[str, str]] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, skipinitialspace=True, strict=True)
        columns = [name for name in needed if name not in (reader.fieldnames or ())]
        if columns:
            raise ValueError(f"it has no column {columns[0]!r}")
        for row in reader:
            number, beyond = reader.line_num, [*(row.get(None) or ())]
            if any(row[name] is None for name in needed):
                raise ValueError(f"line {number} has too few columns")
            if any(map(str.strip, beyond)):
                names = len(row) - 1
                raise ValueError(f"line {number} has {names + len(beyond)} cells, the first line names {names}")
            name = str(PurePosixPath(row[FILE_COLUMN]))
            if name in found:
                raise ValueError(f"line {number} names {name!r} again")
            # Blanks behind a name would make another group of it.
            found[name] = {column: row[column].strip() for column in needed}
    return found
