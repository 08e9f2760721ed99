# SPDX-License-Identifier: Apache-2.0
"""Training-time augmentation, vectorised so that it costs next to nothing beside the training step."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from dimmer.pipeline.data.dataset import Images
from dimmer.pipeline.data.encoding import tensor_to_input


class Draws(Protocol):
    """What draws are made with: `np.random.Generator`, or `DrawsOfPart`."""

    def integers(self, low: int, high: int, size: int, /) -> NDArray[np.int64]:
        """int64[size] of low to high - 1."""
        ...

    def random(self, size: int, /) -> NDArray[np.float64]:
        """float64[size] of 0 to 1."""
        ...

    def uniform(self, low: float, high: float, size: int, /) -> NDArray[np.float64]:
        """float64[size] of low to high."""
        ...


class DrawsOfPart:
    """Draws for the images of a part, which are those that they would have in the whole batch.

    Args:
        rng: draws for the whole batch.
        count: images of the whole batch.
        part: which of them there are.
    """

    def __init__(self, rng: np.random.Generator, count: int, part: slice) -> None:
        self._rng, self._count, self._part = rng, count, part

    def integers(self, low: int, high: int, _size: int, /) -> NDArray[np.int64]:
        """int64 for each image of the part."""
        return self._rng.integers(low, high, self._count)[self._part]

    def random(self, _size: int, /) -> NDArray[np.float64]:
        """float64 for each image of the part."""
        return self._rng.random(self._count)[self._part]

    def uniform(self, low: float, high: float, _size: int, /) -> NDArray[np.float64]:
        """float64 for each image of the part."""
        return self._rng.uniform(low, high, self._count)[self._part]


def pad(images: Images, pixels: int, value: int) -> Images:
    """uint8[N,H,W,C] -> uint8[N,H+2p,W+2p,C] with a border of one grey value.

    A series in time, which is an image of height 1, gets none above and below. Without a border the array stays itself.
    """
    if not pixels:
        return images
    above = pixels if images.shape[1] > 1 else 0
    widths = ((0, 0), (above, above), (pixels, pixels), (0, 0))
    return np.pad(images, widths, constant_values=value)


def random_crops(images: Images, size: tuple[int, int], rng: Draws) -> Images:
    """A crop of (height, width) at a random place of each image: uint8[N,H,W,C] -> uint8[N,height,width,C]."""
    rows, columns = _corners(images.shape, size, len(images), rng)
    windows = np.lib.stride_tricks.sliding_window_view(images, size, axis=(1, 2))
    return np.ascontiguousarray(windows[np.arange(len(images)), rows, columns].transpose(0, 2, 3, 1))


def _corners(
    shape: tuple[int, ...], size: tuple[int, int], count: int, rng: Draws
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Random top and left edges of crops of (height, width) from images of a shape (N,H,W,C)."""
    rows = rng.integers(0, shape[1] - size[0] + 1, count)
    return rows, rng.integers(0, shape[2] - size[1] + 1, count)


def device_crops(
    images: Tensor,
    index: NDArray[np.int64],
    size: tuple[int, int],
    rng: Draws,
    *,
    crop: bool,
    flip: bool,
) -> Tensor:
    """``random_crops`` and ``random_flips`` where the images lie, with the same draws.

    uint8[M,H,W,C] -> network input float32[N,C,height,width], channels last in memory.
    """
    zeros = np.zeros(len(index), np.int64)
    rows, columns = _corners(tuple(images.shape), size, len(index), rng) if crop else (zeros, zeros)
    mirrored = rng.random(len(index)) < 0.5 if flip else zeros
    # One copy to the device for all of them.
    drawn = torch.from_numpy(np.stack([index, rows, columns, mirrored])).to(images.device, non_blocking=True)
    which, top, left, mirror = drawn
    y = top[:, None] + torch.arange(size[0], device=images.device)
    along = torch.arange(size[1], device=images.device)
    x = left[:, None] + torch.where(mirror[:, None] > 0, size[1] - 1 - along, along)
    return tensor_to_input(images[which[:, None, None], y[:, :, None], x[:, None, :]])


def random_flips(images: Images, rng: Draws) -> Images:
    """Mirror half of the images left to right: uint8[N,H,W,C], a new array."""
    mirrored = rng.random(len(images)) < 0.5
    flipped = images.copy()
    flipped[mirrored] = images[mirrored, :, ::-1]
    return flipped


def random_areas(x: Tensor, least: float, rng: Draws) -> Tensor:
    """A part of each image at the size of the whole, bilinear: float[N,C,H,W].

    Args:
        least: area of the smallest part, as a share; proportions go up to 4 : 3 and 3 : 4.
    """
    area = torch.from_numpy(rng.uniform(least, 1.0, len(x)))
    ratio = torch.from_numpy(rng.uniform(-math.log(4 / 3), math.log(4 / 3), len(x))).exp()
    width, height = (area * ratio).sqrt().clamp(max=1.0), (area / ratio).sqrt().clamp(max=1.0)
    across, down = (torch.from_numpy(rng.uniform(-1.0, 1.0, len(x))) for _ in range(2))
    zero = torch.zeros_like(area)
    theta = torch.stack([width, zero, across * (1 - width), zero, height, down * (1 - height)], 1).view(-1, 2, 3)
    grid = F.affine_grid(theta.to(x), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def random_affine(x: Tensor, degrees: float, scale: float, rng: Draws) -> Tensor:
    """Rotate by up to +-degrees and zoom by up to a factor 1 +- scale, bilinear, border repeated: float[N,C,H,W]."""
    angle = torch.from_numpy(rng.uniform(-degrees, degrees, len(x)) * (math.pi / 180)).to(x)
    zoom = torch.from_numpy(rng.uniform(1 - scale, 1 + scale, len(x))).to(x)
    cos, sin, zero = torch.cos(angle) * zoom, torch.sin(angle) * zoom, torch.zeros_like(angle)
    # The grid is -1 to 1 along either side: of an image that is not square a pixel is another part of each.
    height, width = x.shape[2:]
    theta = torch.stack([cos, -sin * (height / width), zero, sin * (width / height), cos, zero], 1).view(-1, 2, 3)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)
