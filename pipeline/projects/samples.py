# SPDX-License-Identifier: Apache-2.0
"""Samples to quantise a network on: arrays of an .npz or .npy, or whatever `dimmer init --data` knows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dimmer.errors import DimmerError
from dimmer.pipeline.conversion.given.worker import Samples
from dimmer.pipeline.data.dataset import Split
from dimmer.pipeline.data.own import IMAGES, RECORDINGS, OwnData
from dimmer.pipeline.projects.inspected import inspect_data
from dimmer.pipeline.projects.told import Told

MOST_CALIBRATED, MOST_COMPARED = 256, 500
FEWEST_APART = 20
"""Samples of which half can be kept for the comparison."""
ARRAYS = (".npz", ".npy")
DEFAULT_PIXELS = (0.0, 1.0)
NO_PIXELS = "--pixels is for folders of images; arrays are taken as the network takes them"
_LABELS = ("y", "label", "labels")
_VALUES = ("x", "input", "inputs", "data", "images")
_SEED = 0


@dataclass(frozen=True)
class Input:
    """An input of a network.

    Attributes:
        name: in its file.
        shape: of one sample as the `.tflite` has it, without the batch.
    """

    name: str
    shape: tuple[int, ...]


def samples_of(
    place: Path,
    inputs: Sequence[Input],
    channels_first: bool,
    pixels: tuple[float, float] | None = None,
    classes: int | None = None,
) -> Samples:
    """The samples, in the shapes of a network's inputs.

    Args:
        channels_first: whether arrays have channels before height and width, as ONNX and PyTorch do.
        pixels: what 0 and 255 of images are to the network, `DEFAULT_PIXELS` if it is not told; of images only.
        classes: so many the network tells apart; None where that cannot be seen of it.

    Raises:
        DimmerError: they cannot be read, or do not fit.
    """
    if not place.exists():
        raise DimmerError(f"--calibration {place}: is not there; give an .npz, an .npy or a folder of samples")
    if place.suffix.lower() in ARRAYS:
        if pixels is not None:
            raise DimmerError(NO_PIXELS)
        return _of_arrays(place, inputs, channels_first, classes)
    if len(inputs) > 1:
        names = ", ".join(one.name for one in inputs)
        raise DimmerError(f"{place.name}: the network has several inputs; give an .npz with the arrays {names}")
    return _of_folder(place, inputs[0], pixels)


def _of_arrays(place: Path, inputs: Sequence[Input], channels_first: bool, classes: int | None) -> Samples:
    try:
        loaded = np.load(place, allow_pickle=False)
        arrays = {"x": loaded} if isinstance(loaded, np.ndarray) else {name: loaded[name] for name in loaded.files}
    # Of a broken file numpy raises whatever comes to it.
    except Exception as error:
        raise DimmerError(f"{place.name}: is damaged, or no .npz or .npy file ({error}); save it again") from error
    named = {one.name for one in inputs}
    label = next((name for name in _LABELS if name in arrays and name not in named), None)
    labels = None if label is None else _classes_in(arrays[label], classes, f"{place.name}: {label}")
    others = {name: array for name, array in arrays.items() if name != label}
    found = [
        fitted(others[name], one.shape, channels_first, f"{place.name}: {name}")
        for name, one in zip(_names(place, inputs, others), inputs, strict=True)
    ]
    count = len(found[0])
    if any(len(array) != count for array in found) or (labels is not None and len(labels) != count):
        raise DimmerError(f"{place.name}: its arrays have different numbers of samples; give as many of each")
    order = np.random.default_rng(_SEED).permutation(count)
    apart = count >= FEWEST_APART
    first, second = (order[: count // 2], order[count // 2 :]) if apart else (order, order)
    first, second = first[:MOST_CALIBRATED], second[:MOST_COMPARED]
    return Samples(
        tuple(array[first] for array in found),
        tuple(array[second] for array in found),
        None if labels is None else labels[second],
        apart,
        place.name,
    )


def _classes_in(labels: NDArray[Any], classes: int | None, where: str) -> NDArray[np.int64]:
    """[N] as int64[N], each the number of a class."""
    fits = labels.ndim == 1 and labels.dtype.kind in "iub"
    if fits and len(labels) and classes is not None:
        fits = bool(labels.min() >= 0 and labels.max() < classes)
    if not fits:
        known = "" if classes is None else f" below {classes}"
        raise DimmerError(f"{where} holds no numbers of classes [N]{known}; give them so, or leave it out")
    return labels.astype(np.int64)


def _names(place: Path, inputs: Sequence[Input], arrays: Mapping[str, NDArray[Any]]) -> list[str]:
    if all(one.name in arrays for one in inputs):
        return [one.name for one in inputs]
    if len(inputs) == 1 and len(arrays) == 1:
        return [*arrays]
    if len(inputs) == 1 and (known := next((name for name in _VALUES if name in arrays), None)):
        return [known]
    names, there = ", ".join(one.name for one in inputs), ", ".join(arrays) or "none"
    raise DimmerError(f"{place.name}: has the arrays {there}; the network's inputs are {names}, name them so")


def fitted(array: NDArray[Any], shape: tuple[int, ...], channels_first: bool, where: str) -> NDArray[np.float32]:
    """[N,...] as float32[N,*shape].

    Raises:
        DimmerError: the shapes are others, there is no sample, or a number is none.
    """
    if array.ndim == 0 or not len(array) or array.dtype.kind not in "iubf":
        raise DimmerError(f"{where}: holds no samples of numbers; give an array [N, ...]")
    moved = np.moveaxis(array, 1, -1) if array.ndim > 2 else array
    ways = [moved, array] if channels_first else [array, moved]
    if channels_first or array.ndim <= 2 or array.shape[1:] != shape:
        ways = [way for way in ways if way.shape[1:] == shape]
    fits = next((way for way in ways if _bare(way.shape[1:]) == _bare(shape)), None)
    if fits is None and _bare(array.shape[1:]) == _bare(shape):
        fits = array
    if fits is None:
        raise DimmerError(f"{where}: samples are {[*array.shape[1:]]}, the network takes {[*shape]}; give them so")
    values = np.ascontiguousarray(fits, np.float32).reshape(-1, *shape)
    if not np.isfinite(values).all():
        raise DimmerError(f"{where}: holds values that are not finite; leave them out")
    return values


def _bare(shape: Sequence[int]) -> tuple[int, ...]:
    """A shape without dimensions of 1."""
    return tuple(size for size in shape if size != 1)


def _of_folder(place: Path, one: Input, pixels: tuple[float, float] | None) -> Samples:
    from dimmer.pipeline.data.prepare import prepared

    section = inspect_data(str(place), Told())
    if section.kind == IMAGES:
        colours = {1: "grey", 3: "rgb"}
        if len(one.shape) != 3 or one.shape[2] not in colours:
            raise DimmerError(f"{place.name}: are images, the network takes {[*one.shape]}; give an .npz of its inputs")
        section = replace(section, size=one.shape[:2], colour=colours[one.shape[2]])
    else:
        if pixels is not None:
            raise DimmerError(NO_PIXELS)
        channels = len(section.channels) or 1
        _check_made_of(place, section.kind, channels, one)
        section = replace(section, window=math.prod(one.shape) // channels, frame=1)
    found = prepared(OwnData(section, Path.cwd()))
    scale = found.facts.scale
    low, high = pixels or DEFAULT_PIXELS

    def values(split: Split, most: int) -> NDArray[np.float32]:
        codes = split.images[:most]
        if scale is not None:
            real = scale.values(codes)
        else:
            real = (codes.astype(np.float32) * ((high - low) / 255) + low).astype(np.float32)
        return fitted(
            real.reshape(len(real), -1) if section.kind != IMAGES else real, _flat(section.kind, one), False, place.name
        ).reshape(-1, *one.shape)

    data = found.dataset
    rest = [data.val, data.test]
    compare = np.concatenate([values(split, MOST_COMPARED) for split in rest if len(split)])[:MOST_COMPARED]
    labels = np.concatenate([split.labels[:MOST_COMPARED] for split in rest if len(split)])[:MOST_COMPARED]
    known = labels.astype(np.int64) if labels.ndim == 1 and labels.dtype == np.int64 else None
    return Samples((values(data.train, MOST_CALIBRATED),), (compare,), known, True, place.name)


def _check_made_of(place: Path, kind: str, channels: int, one: Input) -> None:
    """Refuses a network that takes something made of recordings or windows, which reshaping does not make."""
    shape = _bare(one.shape)
    if (kind == RECORDINGS and len(shape) > 1) or (kind != RECORDINGS and channels > 1 and shape[-1:] != (channels,)):
        raise DimmerError(
            f"{place.name}: {kind} of {channels} channels do not make {[*one.shape]}; give an .npz of the network's "
            "inputs"
        )


def _flat(kind: str, one: Input) -> tuple[int, ...]:
    return one.shape if kind == IMAGES else (math.prod(one.shape),)
