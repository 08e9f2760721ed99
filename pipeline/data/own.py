# SPDX-License-Identifier: Apache-2.0
"""Data of one's own: the section [data] of a recipe, and where its files lie.

What it says is enough for the network's shape, so that a recipe is read without looking at the data.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from dimmer.pipeline.core.checks import OneOf, bounded, require
from dimmer.pipeline.data.dataset import DatasetShape
from dimmer.pipeline.data.ends import InputSection, OutputSection, check_inputs, check_outputs
from dimmer.pipeline.data.heard import Heard

OWN = "own"
"""What [model] calls the data set that [data] describes."""

IMAGES, SHARDS, WINDOWS, RECORDINGS, PYTHON = KINDS = ("images", "shards", "windows", "recordings", "python")
PICTURES = frozenset({IMAGES, SHARDS})
COLOURS = {"grey": 1, "rgb": 3}
CROP, PAD, STRETCH = FITS = ("crop", "pad", "stretch")
CLASSES, LABELS, VALUES, ANOMALY = TASKS = ("classes", "labels", "values", "anomaly")
SEVERAL = "several"
"""The task of data with several outputs, each of which has its own; nobody writes it."""
NORMAL_OR_NOT = ("normal", "anomaly")
"""What an anomaly detector tells apart; training sees the first alone."""
ROWS_ARE = ("steps", "windows")

MOST_SIDE, MOST_STEPS, MOST_CLASSES = 2048, 1 << 20, 4096
_READERS = "dimmer.pipeline.data.readers"
_HEARD, _SAVED = "heard", "saved"
_MODULES = {IMAGES: "images", SHARDS: "shards", WINDOWS: "tables", RECORDINGS: "recordings", PYTHON: "entry"}


@dataclass(frozen=True)
class DataSection:
    """Data of one's own, in place of a known data set: [model] dataset = "own".

    Attributes:
        kind: images and recordings are folders of files, of a class each sub-folder; shards are tar archives of
            images, each with its class in a file of the same name that ends in .cls; windows are CSV, Parquet or NPZ
            files of time series; python is a function that gives arrays.
        path: file or folder, from the recipe's folder; of python ``module:function``, looked for there and in the
            project's folder.
        task: classes, one of them a sample; labels, none or several of them; values, numbers; anomaly, what a network
            cannot give back that learnt to do so with normal samples.
        classes: names of the classes, of the labels, or of the values, in the order of the network's outputs; of
            anomaly the first is what is normal, and all others are not.
        numbered: so many classes that are called by their numbers, from 0; in place of ``classes``.
        streamed: images are decoded each time that they are asked for, and only their places are kept: for data that no
            disk would hold decoded.
        units: of each value, for header and report.
        tolerance: of values: how far from the truth, in its own unit, still counts as right; one for each, or a
            quarter of the standard deviation in training where it is left out.
        size: height and width that images are brought to.
        colour: of images: grey or rgb.
        fit: how other proportions of images are met: crop the middle, pad with black, or stretch.
        window: time steps of a window; samples of a recording's.
        step: time steps from a window to the next; 0 for a window's length.
        channels: names of a window's channels, in their order: columns of CSV and Parquet files.
        rate: samples a second to which recordings are brought.
        frame: samples of a recording that stand beside each other as channels of one position; of no use where
            [features] makes rows of them.
        rows: of CSV and Parquet files: steps, a row a time step, or windows, a row a window, step by step.
        columns: of rows = windows the columns with the values, step by step; without them all that label, group and
            split do not name, as the first file has them.
        label: column or array with the class, or with each label or value; without one, the sub-folder is the class.
        group: column or array whose samples belong together (speaker, subject, session): never in two splits. Of files
            a regular expression, whose first part in parentheses is looked for in the path below the folder.
        split: column or array that says train, val or test. Of files, sub-folders of these names say it themselves.
        table: of images and recordings: CSV file in the folder, of which the column ``file`` names each file, and the
            others are meant by label, group and split.
        column: of a data set that Hugging Face's datasets saved on disk (``save_to_disk``): the column with the images,
            recordings or windows; path is its folder, and label, group and split are columns.
        val: share of the samples that choose between modes, where it is not given.
        test: share that is looked at once, where it is not given.
        seed: of the splits that are made.
        balance: draw each class equally often in training, however many samples it has.
        inputs: of a network of several: [[data.inputs]] with the array, the shape and the channels of each, in place
            of size, window and channels; for python, and for windows of .npz files.
        outputs: of a network of several: [[data.outputs]] with the task, the classes and the column or array of each,
            in place of task, classes, units, tolerance and label.
    """

    kind: Annotated[str, OneOf(("", *KINDS))] = ""
    path: str = ""
    task: Annotated[str, OneOf(TASKS)] = CLASSES
    classes: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    tolerance: tuple[float, ...] = ()
    size: tuple[int, ...] = (32, 32)
    colour: Annotated[str, OneOf(tuple(COLOURS))] = "rgb"
    fit: Annotated[str, OneOf(FITS)] = CROP
    window: int = 0
    step: int = 0
    channels: tuple[str, ...] = ()
    rate: int = 16000
    frame: int = 16
    rows: Annotated[str, OneOf(ROWS_ARE)] = "steps"
    label: tuple[str, ...] = ()
    group: str = ""
    split: str = ""
    table: str = ""
    column: str = ""
    val: float = 0.15
    test: float = 0.15
    seed: int = 0
    balance: bool = False
    numbered: int = 0
    streamed: bool = False
    inputs: tuple[InputSection, ...] = ()
    outputs: tuple[OutputSection, ...] = ()
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require(self.kind in ("", *KINDS), "kind", f"must be one of {', '.join(KINDS)}")
        if self.outputs:
            self._take_outputs()
        require(self.task in (TASKS if not self.outputs else (SEVERAL,)), "task", f"must be one of {', '.join(TASKS)}")
        require(self.colour in COLOURS, "colour", f"must be one of {', '.join(COLOURS)}")
        require(self.fit in FITS, "fit", f"must be one of {', '.join(FITS)}")
        require(self.rows in ROWS_ARE, "rows", f"must be one of {', '.join(ROWS_ARE)}")
        if not self.kind:
            return
        require(bool(self.path), "path", "must name the file or folder with the data")
        require("\0" not in self.path, "path", "must be the name of a file or folder")
        bounded(self.numbered, 0, MOST_CLASSES, "numbered")
        if self.numbered:
            numbers = tuple(map(str, range(self.numbered)))
            require(self.classes in ((), numbers), "numbered", "must be 0 where classes names them")
            object.__setattr__(self, "classes", numbers)
        able = self.kind in PICTURES and self.task == CLASSES and not self.column
        require(able or not self.streamed, "streamed", "is for classes of images")
        least = 2 if self.task in (CLASSES, ANOMALY) else 1
        several = least <= len(self.classes) <= MOST_CLASSES and len(set(self.classes)) == len(self.classes)
        require(several, "classes", f"must hold {least} to {MOST_CLASSES} names, each once")
        require(all(map(_is_name, self.classes)), "classes", "must hold names that can be printed on a line")
        values = self.task == VALUES
        require(len(self.units) in ((0, len(self.classes)) if values else (0,)), "units", "must be one for each value")
        require(
            len(self.tolerance) in ((0, len(self.classes)) if values else (0,)),
            "tolerance",
            "must be one for each value",
        )
        for tolerance in self.tolerance:
            bounded(tolerance, 0, 1e30, "tolerance", over=True)
        require(len(self.size) == 2, "size", "must be height and width")
        for side in self.size:
            bounded(side, 1, MOST_SIDE, "size")
        if self.inputs:
            self._check_inputs()
        elif self.kind in (WINDOWS, RECORDINGS):
            bounded(self.window, 1, MOST_STEPS, "window")
            bounded(self.step, 0, MOST_STEPS, "step")
        if self.kind == WINDOWS and not self.inputs:
            several = bool(self.channels) and len(set(self.channels)) == len(self.channels)
            require(several, "channels", "must name a window's channels, each once")
        if self.columns:
            self._check_columns()
        if self.kind == RECORDINGS:
            bounded(self.rate, 1, 1_000_000, "rate")
            bounded(self.frame, 1, self.window, "frame")
            require(self.window % self.frame == 0, "frame", f"must divide window = {self.window}")
        if self.kind == PYTHON:
            ours = re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", self.path)
            require(ours is not None, "path", 'must be module:function, such as "my_data:load"')
            require(bool(self.channels or self.inputs), "channels", "must name the channels of a sample")
        self._check_labels()
        bounded(self.val, 0, 0.9, "val")
        bounded(self.test, 0, 0.9, "test")
        require(self.val + self.test <= 0.9, "test", "must leave a tenth of the samples, with val, for training")
        bounded(self.seed, 0, 0xFFFF_FFFF, "seed")
        require(not self.balance or self.task == CLASSES, "balance", "is for classes")

    def _take_outputs(self) -> None:
        """What [data] says of one output stands for all of several."""
        check_outputs(self.outputs, self.inputs)
        names = tuple(f"{output.name}: {name}" for output in self.outputs for name in output.classes)
        label = tuple(name for output in self.outputs for name in output.label)
        for key, value, none in (
            ("task", SEVERAL, CLASSES),
            ("classes", names, ()),
            ("label", label, ()),
            ("units", (), ()),
            ("tolerance", (), ()),
        ):
            require(getattr(self, key) in (value, none), key, "must be left out where [[data.outputs]] have it")
            object.__setattr__(self, key, value)

    def _check_inputs(self) -> None:
        check_inputs(self.inputs)
        able = self.kind in (PYTHON, WINDOWS) and not self.column
        require(able, "inputs", "are for kind = python, and for windows of .npz files")
        require(self.task != ANOMALY, "inputs", "are not for anomalies: put what is given back side by side in one")
        for key in ("size", "window", "channels"):
            require(
                getattr(self, key) == getattr(DataSection, key), key, "must be left out where [[data.inputs]] have it"
            )
        for key in ("step", "rate", "frame", "colour", "fit", "rows", "columns"):
            require(getattr(self, key) == getattr(DataSection, key), key, "must be left out: it says nothing of arrays")

    def _check_columns(self) -> None:
        able = self.kind == WINDOWS and self.rows == "windows" and not self.column
        require(able, "columns", "is for windows of which each is a row: rows = windows")
        wanted = self.window * len(self.channels)
        several = len(self.columns) == wanted == len(set(self.columns))
        require(several, "columns", f"must name the {wanted} columns of a window's values, each once")

    def _check_labels(self) -> None:
        files = self.kind in (IMAGES, RECORDINGS)
        require(self.kind != SHARDS or self.task == CLASSES, "task", "must be classes, which is what shards hold")
        tabled = bool(self.table or self.label or self.group or self.split)
        require(self.kind != SHARDS or not tabled, "table", "is not for shards, nor are label, group and split")
        if self.task in (CLASSES, ANOMALY):
            require(len(self.label) <= 1, "label", "must be one column or array, or none for sub-folders")
        elif self.task != SEVERAL:
            require(len(self.label) == len(self.classes), "label", "must be one column or array for each of classes")
        if self.column:
            require(self.kind != PYTHON, "column", "is for images, windows and recordings that datasets saved")
            require(not self.table, "table", "has no place where column is")
            require(bool(self.label), "label", "must name the column with the class, where column is")
            return
        require(bool(self.table) or not files or not self.label, "table", "must name the file that has the labels")
        if files and self.group and not self.table:
            try:
                parts = re.compile(self.group).groups
            except (re.error, RecursionError, OverflowError):
                parts = 0
            require(parts >= 1, "group", 'must be a regular expression with a part in parentheses, such as "([^_]+)_"')

    @property
    def shape(self) -> DatasetShape:
        """What the network sees where no front end stands before it, and how many outputs it has."""
        if self.inputs:
            image = (1, 1, sum(one.elements for one in self.inputs))
        elif self.kind in PICTURES:
            image = (self.size[0], self.size[1], COLOURS[self.colour])
        elif self.kind == RECORDINGS:
            image = (1, self.window // self.frame, self.frame)
        elif self.kind == WINDOWS or self.window:
            image = (1, self.window, len(self.channels))
        else:
            image = (self.size[0], self.size[1], len(self.channels))
        return _shape(self, image)

    @property
    def parting(self) -> tuple[str, ...]:
        """The columns whose change ends a window of steps, beside group and split: those of classes."""
        if self.outputs:
            return tuple(name for output in self.outputs if output.task == CLASSES for name in output.label)
        return self.label if self.task == CLASSES else ()


@dataclass(frozen=True)
class OwnData:
    """Data of one's own, found.

    Attributes:
        section: what the recipe says of it.
        folder: the recipe's, from which paths count.
        heard: what makes rows of features of recordings; None where the network sees samples.
        most: samples of training, and half as many of validation and test; 0 for all.
        sounds: whether training wants the windows of the recordings, too.
    """

    section: DataSection
    folder: Path
    heard: Heard | None = None
    most: int = 0
    sounds: bool = False

    def __str__(self) -> str:
        return self.section.path

    @property
    def place(self) -> Path:
        """The file or folder with the data."""
        return (self.folder / self.section.path).resolve()

    @property
    def reader(self) -> str:
        """Full name of the module that reads it."""
        own = _SAVED if self.section.column else _MODULES[self.section.kind]
        return f"{_READERS}.{_HEARD if self.heard else own}"

    @property
    def shape(self) -> DatasetShape:
        """What the network sees, and how many outputs it has."""
        return shape_of(self.section, self.heard)

    @property
    def sample_shape(self) -> tuple[int, int, int]:
        """Of what the reader gives: of rows of features the samples that they are made of."""
        return (1, self.section.window, 1) if self.heard else self.shape.image_shape


def shape_of(section: DataSection, heard: Heard | None) -> DatasetShape:
    """What the network sees, and how many outputs it has; a row of features is a position, its values are channels."""
    if heard is None:
        return section.shape
    image = (1, heard.rows(section.window), heard.keys.columns)
    return _shape(section, image)


def _shape(section: DataSection, image: tuple[int, int, int]) -> DatasetShape:
    inputs = tuple(one.shape for one in section.inputs)
    return DatasetShape(image, _outputs(section, image), inputs, tuple(one.elements for one in section.outputs))


def _outputs(section: DataSection, image: tuple[int, int, int]) -> int:
    """Of the network: one for each class, label or value, or the whole input again."""
    return math.prod(image) if section.task == ANOMALY else len(section.classes)


def _is_name(text: str) -> bool:
    return bool(text.strip()) and text.isprintable() and len(text) <= 200
