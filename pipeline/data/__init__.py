"""Data sets: one file each, one interface, one input encoding.

Images are uint8[N,H,W,C] on disk and in memory. A network's input is ``(pixel - 128) / 64``, so that the int8
input of a quantised network is exactly ``pixel - 128`` with scale 1/64 and zero point 0: firmware needs one
subtraction and no table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dimmer.pipeline.core.errors import DimmerError

if TYPE_CHECKING:
    from torch import Tensor, device

INPUT_SCALE = 1 / 64
INPUT_ZERO_POINT = 0
INPUT_OFFSET = 128

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Split:
    """Part of a data set, in a fixed shuffled order.

    Attributes:
        images: uint8[N,H,W,C].
        labels: int64[N].
    """

    images: Images
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: NDArray[np.int64]) -> Split:
        """The images and labels at these positions."""
        return Split(self.images[index], self.labels[index])


@dataclass(frozen=True, eq=False)
class Dataset:
    """A labelled image data set.

    Attributes:
        name: as written in recipes.
        classes: names, in the order of the labels.
        image_shape: (H, W, C).
        train: to fit weights and calibrate.
        val: to choose between modes and settings.
        test: looked at once, for the figure that is reported.
    """

    name: str
    classes: tuple[str, ...]
    image_shape: tuple[int, int, int]
    train: Split
    val: Split
    test: Split


def to_int8(images: Images) -> NDArray[np.int8]:
    """uint8 pixels -> the int8 codes that a quantised network reads, same shape."""
    return (images ^ np.uint8(INPUT_OFFSET)).view(np.int8)


def to_input(images: Images, device: device | None = None) -> Tensor:
    """uint8[N,H,W,C] -> float32[N,C,H,W] = (pixel - 128) / 64, exact in float32; on the CPU or a torch device."""
    import torch

    return tensor_to_input(torch.from_numpy(np.ascontiguousarray(images)).to(device))


def tensor_to_input(images: Tensor) -> Tensor:
    """``to_input`` of a tensor uint8[N,H,W,C], where it lies; channels last in memory."""
    return (images.permute(0, 3, 1, 2).float() - INPUT_OFFSET) * INPUT_SCALE


def stratified(labels: Labels, sizes: tuple[int, ...], seed: int) -> list[NDArray[np.int64]]:
    """Cut a labelled set into parts with equal class shares, each shuffled.

    Args:
        labels: int64[N].
        sizes: number of samples of each part; together at most N, each divisible among the classes in
            proportion to how often they occur.
        seed: of the shuffle.

    Returns:
        One array of positions a part.

    Raises:
        DimmerError: the sizes do not divide evenly among the classes.
    """
    rng = np.random.default_rng(seed)
    parts: list[list[NDArray[np.int64]]] = [[] for _ in sizes]
    for label, count in zip(*np.unique(labels, return_counts=True), strict=True):
        members = rng.permutation(np.flatnonzero(labels == label))
        start = 0
        for part, size in zip(parts, sizes, strict=True):
            share, rest = divmod(size * int(count), len(labels))
            if rest:
                raise DimmerError(f"cannot take {size} of {len(labels)} samples with equal class shares")
            part.append(members[start : start + share])
            start += share
    return [rng.permutation(np.concatenate(part)) for part in parts]


def _mnist5k() -> Dataset:
    from dimmer.pipeline.data.mnist5k import load

    return load()


def _cifar10() -> Dataset:
    from dimmer.pipeline.data.cifar10 import load

    return load()


DATASETS: dict[str, Callable[[], Dataset]] = {"mnist5k": _mnist5k, "cifar10": _cifar10}


@dataclass(frozen=True)
class DatasetShape:
    """What is known of a data set without loading it: image (H, W, C) and number of classes."""

    image_shape: tuple[int, int, int]
    classes: int


SHAPES = {"mnist5k": DatasetShape((28, 28, 1), 10), "cifar10": DatasetShape((32, 32, 3), 10)}


def load_dataset(name: str) -> Dataset:
    """Load a data set by name, from disk, package or the official site.

    Raises:
        DimmerError: unknown name, or its files are nowhere to be had.
    """
    if name not in DATASETS:
        raise DimmerError(f"unknown data set '{name}'; known are: {', '.join(DATASETS)}")
    return DATASETS[name]()
