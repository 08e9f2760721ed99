# SPDX-License-Identifier: Apache-2.0
"""What arrays and columns look like as inputs and outputs: a guess that can be corrected in the recipe."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dimmer.errors import DimmerError
from dimmer.pipeline.core.checks import InvalidKeyError
from dimmer.pipeline.data.ends import InputSection, OutputSection
from dimmer.pipeline.data.own import ANOMALY, CLASSES, MOST_CLASSES, VALUES, DataSection
from dimmer.pipeline.data.readers import tables
from dimmer.toml import plain

LABEL_NAMES = ("label", "class", "activity", "target", "y", "gesture", "event", "category")
"""Names of columns and arrays that are taken for labels."""
TIME_NAMES = ("", "t", "time", "timestamp", "date", "datetime", "index", "sample", "row")
"""Names of columns and arrays that are left out."""
_FEW_CHANNELS = 4
"""Of most images: more, behind a height that is no larger, may be a width."""
_LABEL_WORDS = frozenset({"label", "labels", "class", "classes", "target", "targets", "y", "category"})
_NUMBERING = frozenset({"id", "ids", "uid", "uuid", "idx", "timestamp", "date", "datetime", "file", "filename", "path"})


def given_inputs(place: str, arrays: Mapping[str, NDArray[Any]], labels: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The arrays with several values a sample, as many samples as ``x`` or else the longest has: first the one of most
    positions, for the network keeps those.

    Args:
        place: where the arrays are from.
        labels: the arrays that are labels, as somebody says.

    Raises:
        DimmerError: one that is called as labels are has several values a sample, or one is no input by its shape.
    """
    several = {key: array for key, array in arrays.items() if np.ndim(array) > 1 and array.dtype.kind in "fiub"}
    most = max((len(array) for array in several.values()), default=0)
    count = len(several[tables.VALUES]) if tables.VALUES in several else most
    found = {key: array for key, array in several.items() if len(array) == count}
    for key in [key for key in found if key in labels or _is_label(key, found[key])]:
        sides = ",".join(map(str, found[key].shape))
        raise DimmerError(
            f"{plain(place)}: {plain(key)!r} is [{sides}] and called as labels are: put labels into arrays of their "
            "own, one value a sample in each, or give it another name if it is an input"
        )
    return dict(sorted(found.items(), key=lambda item: -int(np.prod(input_of(place, *item).shape[:2]))))


def given_outputs(arrays: Mapping[str, NDArray[Any]], count: int) -> tuple[str, ...]:
    """The arrays with one value for each of so many samples, but for those that number them or say when they were."""
    return tuple(key for key, array in arrays.items() if np.shape(array) == (count,) and not _numbers_samples(key))


def told_ends(section: DataSection) -> list[str]:
    """What was taken for inputs, where there are several, and for outputs, a line each."""
    found = []
    if section.inputs:
        inputs = [f"{one.name} [{','.join(map(str, one.shape))}]" for one in section.inputs]
        found.append(f"inputs: {', '.join(inputs)}")
    if section.outputs:
        outputs = ", ".join(f"{one.name} ({_told_task(one.task, one.classes)})" for one in section.outputs)
        found.append(f"outputs: {outputs}")
    else:
        name = ", ".join(section.label) or "the sub-folder"
        found.append(f"output: {name} ({_told_task(section.task, section.classes)})")
    return [plain(line) for line in found]


def odd_orders(section: DataSection) -> list[str]:
    """A line for each array whose last dimension looks as if it held no channels, as that of PyTorch's arrays."""
    arrays = [(one.name, one.shape, one.window) for one in section.inputs if one.size or one.window]
    if not section.inputs:
        arrays = [(section.column or tables.VALUES, section.shape.image_shape, section.window)]
    found = []
    for name, (height, width, channels), series in arrays:
        if series and channels > width:
            said = f"{width:,} time steps of {channels:,} channels: if it is [N,channels,time], swap these two"
        elif not series and height <= _FEW_CHANNELS < channels and width <= 2 * channels:
            said = f"images of {height} x {width} with {channels} channels: if it is [N,channels,H,W], put these last"
        else:
            continue
        found.append(plain(f"{name} is taken for {said}"))
    return found


def _told_task(task: str, classes: Sequence[str]) -> str:
    """A task, and how many classes it has."""
    if task == ANOMALY:
        return f"{task}: {classes[0]} of {len(classes):,} classes is normal"
    return f"{len(classes):,} classes" if task == CLASSES else task


def _is_label(name: str, array: NDArray[Any]) -> bool:
    """Whether an array of several values a sample is called as labels are: "y", and a vector "target_vec", too."""
    words = _words(name)
    return name.lower() in LABEL_NAMES or (array.ndim == 2 and words[0] in _LABEL_WORDS)


def _numbers_samples(name: str) -> bool:
    """Whether an array is called as what numbers samples, or tells their time or file."""
    return name.lower() in TIME_NAMES or _words(name)[-1] in _NUMBERING


def _words(name: str) -> list[str]:
    """Of a name, in small letters: "sampleId" and "sample_id" are two."""
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower().strip("_").split("_")


def input_of(place: str, name: str, x: NDArray[Any]) -> InputSection:
    """[N,H,W,C] is an image, [N,time,channels] a series, [N,values] a vector."""
    if x.ndim not in (2, 3, 4):
        raise DimmerError(
            f"{plain(place)}: {plain(name)!r} has {x.ndim} dimensions: give [N,values], [N,time,channels] or [N,H,W,C]"
        )
    channels = tuple(f"c{n}" for n in range(x.shape[-1]))
    try:
        if x.ndim == 4:
            return InputSection(name, channels, size=(x.shape[1], x.shape[2]))
        return InputSection(name, channels, window=x.shape[1] if x.ndim == 3 else 0)
    except InvalidKeyError as error:
        raise DimmerError(f"{plain(place)}: {plain(name)!r} as an input: its {error}") from error


def outputs_of(seen: Mapping[str, Sequence[str]], tasks: Sequence[str] = ()) -> tuple[OutputSection, ...]:
    """An output for each of several labels, by what it holds.

    Args:
        tasks: of each as of `labels_of`; all are guessed where there are none.

    Raises:
        DimmerError: as `labels_of`, with the label's name; or it cannot be an output.
    """
    found = []
    for (label, values), said in zip(seen.items(), tasks or ("",) * len(seen), strict=True):
        try:
            task, classes = labels_of(values, said)
        except DimmerError as error:
            raise DimmerError(f"--label {plain(label)}: {error}") from error
        name = re.sub(r"\W+", "_", label, flags=re.ASCII)
        try:
            found.append(OutputSection(name, classes if task == CLASSES else (label,), task, (label,)))
        except InvalidKeyError as error:
            raise DimmerError(f"--label {plain(label)} as an output: its {error}") from error
    return tuple(found)


def labels_of(seen: Sequence[str], task: str = "") -> tuple[str, tuple[str, ...]]:
    """Classes, or values where there are numbers that are not whole.

    NaN, and what is infinite among numbers, are no labels: samples that have them are left out.

    Args:
        task: classes or values, where somebody says which; empty for a guess.

    Raises:
        DimmerError: there are fewer than two labels, too many classes, or values that are no numbers.
    """
    numbers = {name: _number(name) for name in seen if name}
    words = any(number is None for number in numbers.values())
    for name, number in [*numbers.items()]:
        if number is not None and (math.isnan(number) or (math.isinf(number) and not words)):
            del numbers[name]
    names = tuple(sorted(numbers, key=_in_order))
    if len(names) < 2:
        raise DimmerError(
            f"there are {len(names)} different labels; two or more are wanted: name their column with --label"
        )
    if task == VALUES and words:
        odd = next(name for name, number in numbers.items() if number is None)
        raise DimmerError(f"--task {task}: the label {plain(odd)!r} is no number: leave the option out, or mend it")
    whole = all(number is None or math.isinf(number) or number.is_integer() for number in numbers.values())
    if task == VALUES or (not task and not words and not whole):
        return VALUES, ()
    if len(names) > MOST_CLASSES:
        raise DimmerError(
            f"there are {len(names):,} different labels, at most {MOST_CLASSES:,} can be classes: name another column "
            f"with --label, or say --task {VALUES} if they are numbers, of several labels one for each"
        )
    return CLASSES, names


def _number(name: str) -> float | None:
    """The number that a text is; None for another text."""
    try:
        return float(name)
    except (ValueError, OverflowError):
        return None


def _in_order(name: str) -> tuple[int, float, str]:
    return (0, float(name), "") if re.fullmatch(r"-?\d{1,15}", name) else (1, 0.0, name)
