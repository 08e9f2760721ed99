# SPDX-License-Identifier: Apache-2.0
"""What tables and arrays look like, as the section [data] of a recipe: all files say which labels there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dimmer.errors import DimmerError
from dimmer.pipeline.data.own import CLASSES, PYTHON, WINDOWS, DataSection, OwnData
from dimmer.pipeline.data.readers import entry, tables
from dimmer.pipeline.data.readers.columns import Column, names_of_columns, numbers, read_columns, text
from dimmer.pipeline.projects.ends import (
    LABEL_NAMES,
    TIME_NAMES,
    given_inputs,
    given_outputs,
    input_of,
    labels_of,
    outputs_of,
)
from dimmer.pipeline.projects.folders import sub_folders
from dimmer.pipeline.projects.told import GROUP_NAMES, SPLIT_NAMES, Told, check_split, named
from dimmer.toml import plain

WINDOW = 128
_MANY_COLUMNS = 32
_LENGTH = "leave it out, as an array has its length already"


def of_tables(place: Path, files: Sequence[Path], told: Told) -> DataSection:
    """Of CSV, Parquet and NPZ files: the first says which columns there are, all say which labels.

    Args:
        place: the folder with the files, or the only one.

    Raises:
        DimmerError: one cannot be read, or they hold nothing that is known.
    """
    first = files[0]
    if first.suffix.lower() == tables.NPZ:
        with _named(first), np.load(first, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
        return _of_arrays(str(place), arrays, told, WINDOWS, files[1:])
    with _named(first):
        names, columns = names_of_columns(first), read_columns(first)
    labels = told.labels or tuple(filter(None, (named(names, LABEL_NAMES),)))
    if missing := next((label for label in labels if label not in names), None):
        raise DimmerError(
            f"{plain(str(first))} has no column {plain(missing)!r}; it has {plain(', '.join(names))}: name one of them "
            "with --label"
        )
    if told.group and told.group not in names:
        raise DimmerError(
            f"{plain(str(first))} has no column {plain(told.group)!r}; it has {plain(', '.join(names))}: name one "
            "with --group"
        )
    group, split = told.group or named(names, GROUP_NAMES), named(names, SPLIT_NAMES)
    seen = _seen(files, labels, split)
    if split:
        check_split(str(place), split, seen[split])
    beside = {*labels, group, split}
    channels = tuple(
        name for name in names if name not in beside and name.lower() not in TIME_NAMES and _is_numeric(columns[name])
    )
    if not channels:
        raise DimmerError(f"{plain(str(first))} has no column of numbers")
    found = DataSection(WINDOWS, str(place), classes=("a", "b"), window=1, channels=channels, group=group, split=split)
    labelled = _labelled(found, {label: seen[label] for label in labels}, told) if labels else None
    if labelled is None:
        told.refuse("sub-folders as classes", task="leave it out, or name the column with --label")
        labelled = replace(found, classes=sub_folders(place, files, "name the column that has it with --label"))
    if len(channels) > _MANY_COLUMNS and not told.window:
        return replace(labelled, rows="windows", window=len(channels), channels=("value",), columns=channels)
    return replace(labelled, window=told.window or WINDOW)


def of_function(place: str, told: Told) -> DataSection:
    """Of what ``module:function`` gives.

    Raises:
        DimmerError: it fails, or gives nothing that is known.
    """
    probe = DataSection(PYTHON, place, classes=("a", "b"), channels=("value",))
    return _of_arrays(place, entry.arrays(OwnData(probe, Path.cwd())), told, PYTHON)


def _of_arrays(
    place: str, arrays: Mapping[str, NDArray[Any]], told: Told, kind: str, more: Sequence[Path] = ()
) -> DataSection:
    """Of arrays that belong together; more files have such arrays, too."""
    told.refuse("arrays", window=_LENGTH)
    if told.group and told.group not in arrays:
        raise DimmerError(
            f"{plain(place)} has no array {plain(told.group)!r}; it has {plain(', '.join(arrays))}: say --group"
        )
    group, split = told.group or named(tuple(arrays), GROUP_NAMES), named(tuple(arrays), SPLIT_NAMES)
    labels = told.labels
    given = given_inputs(place, arrays, labels)
    labels = labels or tuple(filter(None, (named(tuple(arrays), LABEL_NAMES),)))
    count = len(next(iter(given.values()), ()))
    if not labels and len(given) > 1:
        labels = tuple(key for key in given_outputs(arrays, count) if key not in (group, split))
    if not given or (len(given) == 1 and tables.VALUES not in given):
        raise DimmerError(f"{plain(place)} has no array '{tables.VALUES}', which would be the samples")
    if not labels or not set(labels) <= set(arrays):
        raise DimmerError(f"{plain(place)} has no array for the classes: name one with --label")
    for key in (*labels, group, split):
        if key in arrays and np.shape(arrays[key]) != (count,):
            raise DimmerError(
                f"{plain(place)}: {plain(key)!r} has not one entry for each of {count} samples: give it that many, or "
                "another name if it is no label, group or split"
            )
    common = DataSection(kind, place, classes=("a", "b"), window=1, channels=("c0",), group=group, split=split)
    wanted = (*labels, *filter(None, (split,)))
    seen = {key: [text(value) for value in arrays[key].tolist()] for key in wanted}
    for key, values in _seen(more, labels, split).items():
        seen[key] += values
    if split:
        check_split(place, split, seen.pop(split))
    common = _labelled(common, seen, told)
    if len(given) > 1:
        inputs = tuple(input_of(place, name, array) for name, array in given.items())
        return replace(common, window=0, channels=(), inputs=inputs)
    x = given[tables.VALUES]
    if x.ndim == 4 and kind == WINDOWS:
        raise DimmerError(
            f"{plain(place)}: '{tables.VALUES}' is [{','.join(map(str, x.shape))}], {tables.NPZ} files of one input "
            "hold windows: give [N,time,channels], or images as [N,H,W,C] by a function, module:function"
        )
    if x.ndim == 4:
        channels = tuple(f"c{n}" for n in range(x.shape[3]))
        return replace(common, window=0, size=(x.shape[1], x.shape[2]), channels=channels)
    if x.ndim not in (2, 3):
        raise DimmerError(
            f"{plain(place)}: '{tables.VALUES}' has {x.ndim} dimensions: give [N,time], [N,time,channels] or [N,H,W,C]"
        )
    channels = tuple(f"c{n}" for n in range(x.shape[2] if x.ndim == 3 else 1))
    return replace(common, window=x.shape[1], channels=channels)


def _labelled(section: DataSection, seen: Mapping[str, Sequence[str]], told: Told) -> DataSection:
    """The section with the task of its labels, all of whose texts were seen."""
    if len(seen) > 1:
        return replace(section, classes=(), outputs=outputs_of(seen, told.tasks(tuple(seen))))
    ((label, values),) = seen.items()
    task, classes = labels_of(values, *told.tasks((label,)))
    return replace(section, task=task, classes=classes if task == CLASSES else (label,), label=(label,))


def _seen(files: Sequence[Path], labels: Sequence[str], split: str) -> dict[str, list[str]]:
    """The different texts in the columns or arrays of all files.

    Raises:
        DimmerError: a file cannot be read, or lacks one of them.
    """
    wanted = (*labels, *filter(None, (split,)))
    seen: dict[str, list[str]] = {key: [] for key in wanted}
    for path in files if wanted else ():
        with _named(path):
            for key, column in _columns(path, wanted).items():
                seen[key] += sorted(set(map(text, column.tolist())))
    return seen


def _columns(path: Path, wanted: Sequence[str]) -> dict[str, Column]:
    """Those columns or arrays of a file.

    Raises:
        Exception: of any kind, where the file is broken or lacks one.
    """
    if path.suffix.lower() != tables.NPZ:
        return read_columns(path, wanted)
    with np.load(path, allow_pickle=False) as archive:
        if missing := next((key for key in wanted if key not in archive.files), None):
            raise ValueError(f"it has no array {missing!r}")
        return {key: np.atleast_1d(archive[key]) for key in wanted}


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Within, an error names the file that is read."""
    try:
        yield
    except (DimmerError, ModuleNotFoundError):
        raise
    # Of a broken file the parsers raise whatever comes to them.
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DimmerError(f"{plain(str(path))} cannot be read ({plain(reason)}): mend it, or leave it out") from error


def _is_numeric(column: Column) -> bool:
    values = numbers(column[:1000])
    return bool(np.isfinite(values).mean() > 0.5) if len(values) else False
