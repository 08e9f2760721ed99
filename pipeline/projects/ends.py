# SPDX-License-Identifier: Apache-2.0
"""What arrays and columns look like as inputs and outputs: a guess that can be corrected in the recipe."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dimmer.errors import DimmerError
from dimmer.pipeline.core.checks import InvalidKeyError
from dimmer.pipeline.data.ends import InputSection, OutputSection
from dimmer.pipeline.data.own import CLASSES, VALUES
from dimmer.toml import plain

_MANY_NUMBERS = 20


def given_inputs(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The arrays with several values a sample, as many samples as the longest has: first the one of most positions, for
    the network keeps those.
    """
    several = {key: array for key, array in arrays.items() if np.ndim(array) > 1 and array.dtype.kind in "fiub"}
    most = max((len(array) for array in several.values()), default=0)
    found = {key: array for key, array in several.items() if len(array) == most}
    return dict(sorted(found.items(), key=lambda item: -int(np.prod(input_of("", *item).shape[:2]))))


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


def outputs_of(seen: Mapping[str, Sequence[str]]) -> tuple[OutputSection, ...]:
    """An output for each of several labels, by what it holds."""
    found = []
    for label, values in seen.items():
        task, classes = labels_of(values)
        name = re.sub(r"\W+", "_", label, flags=re.ASCII)
        try:
            found.append(OutputSection(name, classes if task == CLASSES else (label,), task, (label,)))
        except InvalidKeyError as error:
            raise DimmerError(f"--label {plain(label)} as an output: its {error}") from error
    return tuple(found)


def labels_of(seen: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Classes, or values where there are many numbers that are not whole."""
    names = tuple(sorted({name for name in seen if name}, key=_in_order))
    try:
        whole = all(float(name).is_integer() for name in names)
    except (ValueError, OverflowError):
        whole = True
    if not whole or (len(names) > _MANY_NUMBERS and all(re.fullmatch(r"-?\d+", name) for name in names)):
        return VALUES, ()
    if len(names) < 2:
        raise DimmerError(
            f"there are {len(names)} different labels; two or more are wanted: name their column with --label"
        )
    return CLASSES, names


def _in_order(name: str) -> tuple[int, float, str]:
    return (0, float(name), "") if re.fullmatch(r"-?\d{1,15}", name) else (1, 0.0, name)
