# SPDX-License-Identifier: Apache-2.0
"""Augmented batches of training images, made where the network is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dimmer.pipeline.data.dataset import Images, Sounds
from dimmer.pipeline.data.encoding import to_input
from dimmer.pipeline.recipe.sections.training import Augmentation
from dimmer.pipeline.recipe.sections.transforms import LIBRARY
from dimmer.pipeline.training.augment import (
    Draws,
    DrawsOfPart,
    device_crops,
    pad,
    random_affine,
    random_areas,
    random_crops,
    random_flips,
)


def augment(images: Images, size: tuple[int, int], settings: Augmentation, rng: Draws) -> Tensor:
    """uint8[N,H,W,C] -> network input float32[N,C,H,W]."""
    if settings.torchvision:
        images = library().transformed_images(images, settings.torchvision, rng)
    if settings.pad:
        images = random_crops(pad(images, settings.pad, settings.pad_value), size, rng)
    if settings.flip:
        images = random_flips(images, rng)
    return _turned(to_input(images), settings, rng)


def _turned(x: Tensor, settings: Augmentation, rng: Draws) -> Tensor:
    if settings.least_area < 1:
        x = random_areas(x, settings.least_area, rng)
    return random_affine(x, settings.rotate, settings.zoom, rng) if settings.rotate or settings.zoom else x


SETTLING_BATCHES = 80
WHOLE = slice(None)


def library() -> ModuleType:
    """The module with the transforms of libraries: on this way no training depends on it that has none of them."""
    return import_module(LIBRARY)


class Batches:
    """Augmented batches of a training set, which lies on the GPU where the network does; else where it lay, which may
    be a file that is mapped into memory, or files of images that are decoded batch by batch.

    Args:
        images: uint8[N,H,W,C].
        size: height and width of the network's input.
        settings: the augmentation.
        device: the network's.
        sounds: of which the images are made; for settings with transforms of sounds.
    """

    def __init__(
        self,
        images: Images,
        size: tuple[int, int],
        settings: Augmentation,
        device: torch.device,
        sounds: Sounds | None = None,
    ) -> None:
        self._images = images
        self._sounds = sounds
        self._size = size
        self._settings = settings
        self._on_gpu: Tensor | None = None
        # Transforms of libraries take one sample after the other, and these lie in memory; streamed images are no
        # array, and too many for any GPU.
        if (
            device.type == "cuda"
            and not settings.libraries
            and isinstance(images, np.ndarray)
            and _fits(images, device)
        ):
            self._on_gpu = torch.from_numpy(pad(images, settings.pad, settings.pad_value)).to(device)

    def __len__(self) -> int:
        return len(self._images)

    def __call__(self, index: NDArray[np.int64], rng: np.random.Generator, part: slice = WHOLE) -> Tensor:
        """The images at these positions as network input float32[N,C,H,W]; the same pixels on every device.

        Args:
            part: those of the positions that are wanted; they get the pixels that they have in the whole batch.
        """
        draws: Draws = rng if part in (WHOLE, slice(0, None, 1)) else DrawsOfPart(rng, len(index), part)
        index = index[part]
        if self._on_gpu is None:
            return augment(self._seen(index, draws), self._size, self._settings, draws)
        settings = self._settings
        x = device_crops(self._on_gpu, index, self._size, draws, crop=settings.pad > 0, flip=settings.flip)
        return _turned(x, settings, draws)

    def _seen(self, index: NDArray[np.int64], rng: Draws) -> Images:
        """uint8[N,H,W,C], made anew of changed sounds where the settings change these."""
        texts = self._settings.audiomentations
        if not texts:
            return self._images[index]
        assert self._sounds is not None
        changed = library().transformed_sounds(self._sounds.windows(index), self._sounds.rate, texts, rng)
        return self._sounds.codes(changed)


def _fits(images: NDArray[np.uint8], device: torch.device) -> bool:
    """Whether a training set takes at most half of what is free of a GPU's memory."""
    free, _ = torch.cuda.mem_get_info(device)
    return images.nbytes <= free // 2


@dataclass(frozen=True)
class SettlingBatches:
    """As many batches float32[N,C,H,W] as make the norms' statistics exact, augmented as in training.

    They are made anew, with the same pixels, whenever they are gone through: together they may be larger than memory.

    Attributes:
        images: training images.
        batch: how many make one; fewer only where there are fewer.
        seed: of order and augmentation.
        order: of the images in an epoch of the training (`Dataset.order`); each once in any where there is none.
    """

    images: Batches
    batch: int
    seed: int
    order: Callable[[np.random.Generator], NDArray[np.int64]] | None = None

    def __iter__(self) -> Iterator[Tensor]:
        images = self.images
        rng = np.random.default_rng([self.seed, len(images)])
        order = rng.permutation(len(images)) if self.order is None else self.order(rng)
        size = min(self.batch, len(images))
        last = min(len(images) - size + 1, SETTLING_BATCHES * size)
        for start in range(0, last, size):
            yield images(order[start : start + size], rng)
