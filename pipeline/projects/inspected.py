# SPDX-License-Identifier: Apache-2.0
"""What somebody's data looks like, as the section [data] of a recipe: a guess that he can correct there."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dimmer.errors import DimmerError
from dimmer.pipeline.data.heard import AUDIO, PRESET_KEYS, Heard
from dimmer.pipeline.data.own import (
    ANOMALY,
    CLASSES,
    IMAGES,
    PYTHON,
    RECORDINGS,
    WINDOWS,
    DataSection,
    OwnData,
)
from dimmer.pipeline.data.prepare import prepared
from dimmer.pipeline.data.readers import entry, images, recordings, saved, tables
from dimmer.pipeline.data.readers.columns import names_of_columns, numbers, read_columns, text
from dimmer.pipeline.data.readers.sample import Problem, files_below, split_of
from dimmer.pipeline.projects.ends import (
    LABEL_NAMES,
    TIME_NAMES,
    given_inputs,
    given_outputs,
    input_of,
    labels_of,
    outputs_of,
)
from dimmer.pipeline.projects.wanted import OwnSamples
from dimmer.toml import plain

LOOKED_AT = 100
"""So many files are opened to guess sizes and rates."""
SIDES = (16, 24, 32)
WINDOW = 128
LOWEST_RATE, FEWEST_ROWS = 4000, 8
"""Of recordings that get a front end: samples a second, and rows in a window."""
_GROUPS = ("group", "subject", "speaker", "session", "user", "participant", "person", "patient")
_MANY_COLUMNS = 32


@dataclass(frozen=True)
class Told:
    """What somebody says of his data; empty where it is to be guessed.

    Attributes:
        label: column or array with the class, or the value; several with commas between them, an output each.
        group: column or array, or regular expression, of what belongs together.
        window: time steps; 0 to guess.
        normal: the class that is normal, where anomalies are to be found; empty for another task.
    """

    label: str = ""
    group: str = ""
    window: int = 0
    normal: str = ""


def inspect_data(place: str, told: Told) -> DataSection:
    """The section for a folder, a file, or ``module:function``; its path is as given.

    Raises:
        DimmerError: it is not there, nothing that is known, or has no such class as is told.
    """
    found = _inspected(place, told)
    if not told.normal:
        return found
    if found.inputs or found.outputs:
        raise DimmerError(
            f"--normal {plain(told.normal)}: anomalies are for one input and one output: put the values side by side "
            "into 'x', and name the array or column with the class with --label"
        )
    if found.task != CLASSES or told.normal not in found.classes:
        raise DimmerError(
            f"--normal {plain(told.normal)}: there is no such class; there are {plain(', '.join(found.classes))}"
        )
    others = tuple(name for name in found.classes if name != told.normal)
    return replace(found, task=ANOMALY, classes=(told.normal, *others))


def _inspected(place: str, told: Told) -> DataSection:
    if re.fullmatch(r"[\w.]+:\w+", place) and not Path(place).exists():
        return _of_function(place, told)
    path = Path(place)
    if path.is_file():
        if path.suffix.lower() not in tables.SUFFIXES:
            kinds = ", ".join(sorted(tables.SUFFIXES))
            raise DimmerError(f"{plain(place)} is no folder, and ends in none of {kinds}")
        return _of_tables(path, (path,), told)
    if not path.is_dir():
        raise DimmerError(f"{plain(place)} is not there: give a folder, a file, or module:function")
    if saved.is_saved(path):
        return _of_saved(place, told)
    there = {kind: files_below(path, suffixes) for kind, suffixes in _SUFFIXES.items()}
    kind = max(there, key=lambda kind: len(there[kind]))
    files = there[kind]
    if not files:
        endings = ", ".join(sorted(set().union(*_SUFFIXES.values())))
        raise DimmerError(f"{plain(place)} has no file that ends in {endings}")
    if kind == WINDOWS:
        return _of_tables(path, files, told)
    classes = _sub_folders(path, files)
    looked = files[:: max(1, len(files) // LOOKED_AT)]
    return (_of_images if kind == IMAGES else _of_recordings)(place, classes, looked, told)


_SUFFIXES = {IMAGES: images.SUFFIXES, RECORDINGS: recordings.SUFFIXES, WINDOWS: tables.SUFFIXES}


def _sub_folders(folder: Path, files: Sequence[Path]) -> tuple[str, ...]:
    """The names of sub-folders that are classes: below those of splits, where the first ones are those."""
    inner = [path.relative_to(folder).parts for path in files]
    tops = {parts[0] for parts in inner if len(parts) > 1}
    given = bool(tops) and all(map(split_of, tops))
    names = {parts[given] for parts in inner if len(parts) > 1 + given}
    if len(names) < 2:
        raise DimmerError(
            f"{plain(str(folder))} has {len(names)} sub-folders with files, which would be the classes: give each "
            "class a sub-folder, or name the column that has it with --label"
        )
    return tuple(sorted(names))


def _of_saved(place: str, told: Told) -> DataSection:
    """Of the first column of images, of sound, or of lists, what a sample is; of the first of classes, its label."""
    folder = Path(place)
    parts = saved.parts(folder)
    features = parts[0].features if parts else {}
    kinds = {column: _saved_kind(feature) for column, feature in features.items()}
    column = next((name for kind in (IMAGES, RECORDINGS, WINDOWS) for name in kinds if kinds[name] == kind), "")
    label = (
        told.label
        or next((name for name in features if parts[0].names(name)), "")
        or _named(tuple(features), LABEL_NAMES)
    )
    if not column or label not in features:
        what = (
            "column of images, sound or lists of numbers" if not column else "column of classes: name it with --label"
        )
        raise DimmerError(f"{plain(place)} has no {what}; it has {', '.join(map(plain, features))}")
    group, split = told.group or _named(tuple(features), _GROUPS), _named(tuple(features), ("split",))
    problems: list[Problem] = []
    seen = [row for part in parts for _, row in saved.rows(part, folder, (label,), problems)]
    names = parts[0].names(label)
    task, classes = (
        (CLASSES, names) if names else labels_of([text(row[label]) for row in seen if row[label] is not None])
    )
    cells = [row[column] for _, row in islice(saved.rows(parts[0], folder, (column,), problems), LOOKED_AT)]
    if kinds[column] == WINDOWS:
        common = DataSection(WINDOWS, place, classes=("a", "b"), window=1, channels=("c0",), label=(label,))
        shape = next((sizes for sizes in map(_shape, cells) if 0 not in sizes and len(sizes) in (1, 2)), ())
        if not shape:
            raise DimmerError(
                f"{plain(place)}: {plain(column)!r} is no [time] and no [time,channels]: give every row numbers in "
                "lists of one length"
            )
        channels = tuple(f"c{n}" for n in range(shape[1] if len(shape) == 2 else 1))
        found = replace(common, window=shape[0], channels=channels)
    else:
        try:
            files = [saved.stored_file(cell) for cell in cells]
        except ValueError as error:
            raise DimmerError(f"{plain(str(place))}: {plain(column)}: {error}") from error
        make = _of_images if kinds[column] == IMAGES else _of_recordings
        found = make(place, ("a", "b"), files, replace(told, group=""))
    return replace(
        found,
        task=task,
        classes=classes if task == CLASSES else (label,),
        label=(label,),
        column=column,
        group=group,
        split=split,
    )


def _shape(cell: Any) -> tuple[int, ...]:
    """Of nested lists; nothing of those with several lengths."""
    try:
        shape: tuple[int, ...] = np.shape(cell)
    except ValueError:
        return ()
    return shape


def _saved_kind(feature: object) -> str:
    """The kind of samples that a column holds; empty for none."""
    kind = feature.get("_type") if isinstance(feature, dict) else None
    if kind in ("Image", "Audio"):
        return IMAGES if kind == "Image" else RECORDINGS
    return WINDOWS if kind in ("Array2D", "List", "LargeList", "Sequence") else ""


def _of_images(place: str, classes: tuple[str, ...], files: Sequence[Path | BytesIO], told: Told) -> DataSection:
    from PIL import Image

    sides, coloured = [], False
    for path in files:
        try:
            with Image.open(path) as image:
                sides.append(min(image.size))
                coloured |= image.mode not in ("1", "L", "LA", "I", "I;16", "F")
        # Broken files are named when all of them are read.
        except Exception:
            continue
    if not sides:
        raise DimmerError(f"{plain(place)}: none of {len(files)} images can be read")
    side = max([fits for fits in SIDES if fits <= median(sides)], default=SIDES[0])
    colour = "rgb" if coloured else "grey"
    return DataSection(IMAGES, place, classes=classes, size=(side, side), colour=colour, group=told.group)


def _of_recordings(place: str, classes: tuple[str, ...], files: Sequence[Path | BytesIO], told: Told) -> DataSection:
    import warnings

    from scipy.io import wavfile

    rates, seconds = [], []
    for path in files:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                rate, signal = wavfile.read(path)
        except Exception:
            continue
        if rate > 0:
            rates.append(int(rate))
            seconds.append(len(signal) / rate)
    if not rates:
        raise DimmerError(f"{plain(place)}: none of {len(files)} recordings can be read")
    rate = min(16000, Counter(rates).most_common(1)[0][0])
    frame = DataSection.frame
    window = told.window or round(min(1.0, median(seconds)) * rate)
    window = max(frame, window - window % frame)
    return DataSection(RECORDINGS, place, classes=classes, window=window, rate=rate, group=told.group)


def front_end_of(section: DataSection) -> Heard | None:
    """The front end for recordings, as far as they are long enough to be heard in rows; None for other data."""
    if section.kind != RECORDINGS or section.rate < LOWEST_RATE:
        return None
    kind = "mlperf-kws"
    heard = Heard(kind, PRESET_KEYS[kind])
    if section.rate != heard.keys.rate:
        # The bins of a slow transform are too wide for as many bands.
        bands = heard.keys.bands if section.rate >= 2 * LOWEST_RATE else heard.keys.bands // 2
        high = min(heard.keys.high_hz, section.rate / 2)
        heard = Heard(AUDIO, replace(heard.keys, rate=section.rate, bands=bands, high_hz=high))
    return heard if heard.rows(section.window) >= FEWEST_ROWS else None


def _of_tables(place: Path, files: Sequence[Path], told: Told) -> DataSection:
    first = files[0]
    try:
        if first.suffix.lower() == tables.NPZ:
            with np.load(first, allow_pickle=False) as archive:
                return _of_arrays(str(place), {key: archive[key] for key in archive.files}, told, WINDOWS)
        names = names_of_columns(first)
        labels = tuple(filter(None, told.label.split(","))) or tuple(filter(None, (_named(names, LABEL_NAMES),)))
        seen = {
            label: [
                text(value) for path in files for value in sorted(set(map(text, read_columns(path, [label])[label])))
            ]
            for label in labels
        }
        columns = read_columns(first)
    except (DimmerError, ModuleNotFoundError):
        raise
    # Of a broken file the parsers raise whatever comes to them.
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DimmerError(f"{plain(str(first))} cannot be read ({plain(reason)})") from error
    group = told.group or _named(names, _GROUPS)
    split = _named(names, ("split",))
    beside = {*labels, group, split}
    channels = tuple(
        name for name in names if name not in beside and name.lower() not in TIME_NAMES and _is_numeric(columns[name])
    )
    if not channels:
        raise DimmerError(f"{plain(str(first))} has no column of numbers")
    found = DataSection(WINDOWS, str(place), classes=("a", "b"), window=1, channels=channels, group=group, split=split)
    if len(labels) > 1:
        labelled = replace(found, classes=(), outputs=outputs_of(seen))
    else:
        label = labels[0] if labels else ""
        task, classes = labels_of(seen[label]) if label else (CLASSES, _sub_folders(place, files))
        labelled = replace(
            found, task=task, classes=classes if task == CLASSES else (label,), label=(label,) if label else ()
        )
    if len(channels) > _MANY_COLUMNS:
        return replace(labelled, rows="windows", window=len(channels), channels=("value",))
    return replace(labelled, window=told.window or WINDOW)


def _of_function(place: str, told: Told) -> DataSection:
    probe = DataSection(PYTHON, place, classes=("a", "b"), channels=("value",))
    return _of_arrays(place, entry.arrays(OwnData(probe, Path.cwd())), told, PYTHON)


def _of_arrays(place: str, arrays: dict[str, NDArray[Any]], told: Told, kind: str) -> DataSection:
    group, split = told.group or _named(tuple(arrays), _GROUPS), _named(tuple(arrays), ("split",))
    labels = tuple(filter(None, told.label.split(",")))
    given = given_inputs(place, arrays, labels)
    labels = labels or tuple(filter(None, (_named(tuple(arrays), LABEL_NAMES),)))
    if not labels and len(given) > 1:
        count = len(next(iter(given.values())))
        labels = tuple(key for key in given_outputs(arrays, count) if key not in (group, split))
    if not given or (len(given) == 1 and tables.VALUES not in given):
        raise DimmerError(f"{plain(place)} has no array '{tables.VALUES}', which would be the samples")
    if not labels or not set(labels) <= set(arrays):
        raise DimmerError(f"{plain(place)} has no array for the classes: name one with --label")
    common = DataSection(kind, place, classes=("a", "b"), window=1, channels=("c0",), group=group, split=split)
    seen = {label: [text(value) for value in arrays[label].tolist()] for label in labels}
    if len(labels) > 1:
        common = replace(common, classes=(), outputs=outputs_of(seen))
    else:
        task, classes = labels_of(seen[labels[0]])
        common = replace(common, task=task, classes=classes if task == CLASSES else labels, label=labels)
    if len(given) > 1:
        inputs = tuple(input_of(place, name, array) for name, array in given.items())
        return replace(common, window=0, channels=(), inputs=inputs)
    x = given[tables.VALUES]
    if x.ndim == 4:
        channels = tuple(f"c{n}" for n in range(x.shape[3]))
        return replace(common, window=0, size=(x.shape[1], x.shape[2]), channels=channels)
    if x.ndim not in (2, 3):
        raise DimmerError(
            f"{plain(place)}: '{tables.VALUES}' has {x.ndim} dimensions: give [N,time], [N,time,channels] or [N,H,W,C]"
        )
    channels = tuple(f"c{n}" for n in range(x.shape[2] if x.ndim == 3 else 1))
    return replace(common, window=x.shape[1], channels=channels)


def _named(names: Sequence[str], wanted: Sequence[str]) -> str:
    lower = {name.lower(): name for name in reversed(names)}
    return next((lower[name] for name in wanted if name in lower), "")


def _is_numeric(column: NDArray[Any]) -> bool:
    values = numbers(column[:1000])
    return bool(np.isfinite(values).mean() > 0.5) if len(values) else False


def own_samples(place: str, told: Told, recipe: Path) -> OwnSamples:
    """The data, read once: what is wrong with it is told before a project is written.

    Args:
        recipe: the folder that the recipe will lie in, from which its path will count.

    Raises:
        DimmerError: as `inspect_data` and `prepared`.
    """
    section = inspect_data(place, told)
    home = recipe.parent.parent.resolve()
    if section.kind == PYTHON:
        for file in entry.files(OwnData(section, Path.cwd())):
            if not file.resolve().is_relative_to(home):
                raise DimmerError(f"{plain(str(file))} lies outside the project: type dimmer init in its folder")
    heard = front_end_of(section)
    found = prepared(OwnData(section, Path.cwd(), heard)).dataset
    if section.kind != PYTHON:
        section = replace(section, path=Path(os.path.relpath(Path(place).resolve(), recipe.resolve())).as_posix())
    return OwnSamples(section, len(found.train) + len(found.val) + len(found.test), heard)
