# SPDX-License-Identifier: Apache-2.0
"""What somebody's data looks like, as the section [data] of a recipe: a guess that he can correct there."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

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
from dimmer.pipeline.data.readers.columns import text
from dimmer.pipeline.data.readers.sample import Problem, files_below
from dimmer.pipeline.projects.ends import LABEL_NAMES, labels_of, odd_orders
from dimmer.pipeline.projects.folders import sub_folders, without_class
from dimmer.pipeline.projects.tabled import of_function, of_tables
from dimmer.pipeline.projects.told import GROUP_NAMES, SPLIT_NAMES, Told, check_split, named
from dimmer.pipeline.projects.wanted import OwnSamples
from dimmer.toml import plain

LOOKED_AT = 100
"""So many files are opened to guess sizes and rates."""
SIDES = (16, 24, 32)
LOWEST_RATE, FEWEST_ROWS = 4000, 8
"""Of recordings that get a front end: samples a second, and rows in a window."""
_MANY_CLASSES = 20
"""Of more that are numbers somebody may have meant values."""


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
        return of_function(place, told)
    path = Path(place)
    if path.is_file():
        if path.suffix.lower() not in tables.SUFFIXES:
            kinds = ", ".join(sorted(tables.SUFFIXES))
            raise DimmerError(f"{plain(place)} is no folder, and ends in none of {kinds}")
        return of_tables(path, (path,), told)
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
        return of_tables(path, files, told)
    what = "a folder of images" if kind == IMAGES else "a folder of recordings"
    told.refuse(what, label=_FOLDERS, task=_FOLDERS)
    if kind == IMAGES:
        told.refuse(what, window=_NO_STEPS)
    classes = sub_folders(path, files)
    looked = files[:: max(1, len(files) // LOOKED_AT)]
    return (_of_images if kind == IMAGES else _of_recordings)(place, classes, looked, told)


_FOLDERS = "leave it out, and give each class a sub-folder"
_NO_STEPS = "leave it out, as an image has no time steps"
_SUFFIXES = {IMAGES: images.SUFFIXES, RECORDINGS: recordings.SUFFIXES, WINDOWS: tables.SUFFIXES}


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
        or named(tuple(features), LABEL_NAMES)
    )
    if not column or label not in features:
        what = (
            "column of images, sound or lists of numbers" if not column else "column of classes: name it with --label"
        )
        raise DimmerError(f"{plain(place)} has no {what}; it has {', '.join(map(plain, features))}")
    if kinds[column] == IMAGES:
        told.refuse("images", window=_NO_STEPS)
    elif kinds[column] == WINDOWS:
        told.refuse("saved windows", window="leave it out, as they have their length already")
    group, split = told.group or named(tuple(features), GROUP_NAMES), named(tuple(features), SPLIT_NAMES)
    problems: list[Problem] = []
    wanted = (label, *filter(None, (split,)))
    seen = [(part, row) for part in parts for _, row in saved.rows(part, folder, wanted, problems)]
    if split:
        check_split(place, split, (saved.named(part, split, row[split]) for part, row in seen))
    names = parts[0].names(label)
    if names:
        told.refuse("a column of classes", task="leave it out, or name another column with --label")
    task, classes = (CLASSES, names) if names else labels_of([text(row[label]) for _, row in seen], told.task)
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
    notes = without_class(Path(place), section) if section.kind != PYTHON and not section.label else []
    if _is_of_arrays(section):
        notes += odd_orders(section)
    heard = front_end_of(section)
    try:
        made = prepared(OwnData(section, Path.cwd(), heard))
    except DimmerError as error:
        raise DimmerError(f"{error}{_way_out(section, told, str(error))}") from error
    if problems := made.facts.problems:
        what = "files or samples" if len(problems) > 1 else "file or sample"
        notes.append(f"left out: {len(problems):,} {what}, the first: {problems[0]}")
    found = made.dataset
    if section.kind != PYTHON:
        section = replace(section, path=Path(os.path.relpath(Path(place).resolve(), recipe.resolve())).as_posix())
    return OwnSamples(section, len(found.train) + len(found.val) + len(found.test), heard, tuple(notes))


def _is_of_arrays(section: DataSection) -> bool:
    """Whether what a sample is stands in arrays, which may have their dimensions in any order."""
    if section.kind != WINDOWS or section.column:
        return section.kind in (PYTHON, WINDOWS)
    return tables.files(OwnData(section, Path.cwd()))[0].suffix.lower() == tables.NPZ


def _way_out(section: DataSection, told: Told, said: str) -> str:
    """What can be done before there is a recipe, of which the readers' messages speak."""
    every = [one.classes for one in section.outputs] or [section.classes]
    many = any(len(classes) > _MANY_CLASSES and all(map(str.isdecimal, classes)) for classes in every)
    each = ", a word for each label" if section.outputs else ""
    values = f"; numbers that are no classes are learnt with --task values{each}" if many and not told.task else ""
    return values + ("; no recipe is written yet, so mend the data" if "[data]" in said else "")
