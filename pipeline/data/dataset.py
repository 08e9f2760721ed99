# SPDX-License-Identifier: Apache-2.0
"""A data set: labelled images in three splits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dimmer.errors import DimmerError

Images = NDArray[np.uint8]

Labels = NDArray[np.int64]

Targets = NDArray[Any]
"""What samples stand for: the number of a class, int64[N]; which labels hold, uint8[N,K]; values, float32[N,K], in
tolerances from their mean in training, so that what is within 1 of the truth is right; what is to be given back,
int8[N,1+D]: whether the sample is an anomaly, 0 or 1, and the D codes of the input; or all of several outputs,
float64[N,...] (`dimmer.pipeline.data.packed`)."""


@dataclass(frozen=True, eq=False)
class Split:
    """Part of a data set, in a fixed shuffled order.

    Attributes:
        images: uint8[N,H,W,C]; of several inputs [N,1,1,D], their elements behind each other.
        labels: int64[N]; of tasks other than classes see `Targets`.
    """

    images: Images
    labels: Targets

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: NDArray[np.int64]) -> Split:
        """The images and labels at these positions."""
        return Split(self.images[index], self.labels[index])


class Sounds(Protocol):
    """The windows of recordings of which the training split's codes are made: augmentation changes them before a front
    end hears them.
    """

    @property
    def rate(self) -> int:
        """Samples a second."""
        ...

    def windows(self, index: NDArray[np.int64]) -> NDArray[np.float32]:
        """Those at these positions of the split: float32[N,window] in -1..1."""
        ...

    def codes(self, windows: NDArray[np.float32]) -> Images:
        """What the network sees of windows float32[N,window]: uint8[N,H,W,C]."""
        ...


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
        balance: whether training draws each class equally often.
        sounds: behind the training split; None where nothing asked for them.
        inputs: of several inputs (H, W, C) of each; else nothing.
    """

    name: str
    classes: tuple[str, ...]
    image_shape: tuple[int, int, int]
    train: Split
    val: Split
    test: Split
    balance: bool = False
    sounds: Sounds | None = None
    inputs: tuple[tuple[int, int, int], ...] = ()

    @property
    def outputs(self) -> tuple[str, ...]:
        """What each element of a network's one output stands for; nothing where they are the input again."""
        return () if self.train.labels.dtype in (np.int8, np.float64) else self.classes

    def first(self, most: int) -> Dataset:
        """At most so many samples of training, and half as many of validation and test."""
        train, val, test = (
            Split(split.images[:count], split.labels[:count])
            for split, count in ((self.train, most), (self.val, most // 2), (self.test, most // 2))
        )
        return replace(self, train=train, val=val, test=test)

    def order(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Positions of the training samples in one epoch: each once; with `balance` each class equally often."""
        count = len(self.train)
        if not self.balance:
            return rng.permutation(count)
        labels = self.train.labels
        members = [rng.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
        each = -(-count // len(members))
        # Of a small class every sample is drawn about as often as the others of it.
        drawn = np.concatenate([np.resize(of_class, each) for of_class in members])
        return rng.permutation(drawn)[:count]


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


@dataclass(frozen=True)
class DatasetShape:
    """What is known of a data set without loading it.

    Attributes:
        image_shape: (H, W, C); of several inputs (1, 1, D), their elements behind each other.
        classes: elements of all outputs.
        inputs: of several inputs (H, W, C) of each; else nothing.
        outputs: of several outputs the elements of each; else nothing.
    """

    image_shape: tuple[int, int, int]
    classes: int
    inputs: tuple[tuple[int, int, int], ...] = ()
    outputs: tuple[int, ...] = ()
