# SPDX-License-Identifier: Apache-2.0
"""``rotate`` turned in coordinates of -1 to 1 along either side, which shears an image that is not square."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from dimmer.pipeline.training.augment import random_affine


class Largest:
    """Draws the largest of everything."""

    def integers(self, _low: int, high: int, size: int, /) -> NDArray[np.int64]:
        """int64[size] of high - 1."""
        return np.full(size, high - 1)

    def random(self, size: int, /) -> NDArray[np.float64]:
        """float64[size] of ones."""
        return np.ones(size)

    def uniform(self, _low: float, high: float, size: int, /) -> NDArray[np.float64]:
        """float64[size] of high."""
        return np.full(size, high)


def spot(height: int, width: int, down: float, across: float) -> torch.Tensor:
    """float[1,1,H,W] with a soft spot, so far from the middle in pixels."""
    y = torch.arange(height)[:, None] - (height - 1) / 2 - down
    x = torch.arange(width)[None, :] - (width - 1) / 2 - across
    return torch.exp(-(y**2 + x**2) / 2)[None, None]


def middle(x: torch.Tensor) -> tuple[float, float]:
    """Where the light is, from the image's middle in pixels."""
    _, _, height, width = x.shape
    weight = x[0, 0] / x.sum()
    y, along = torch.arange(height) - (height - 1) / 2, torch.arange(width) - (width - 1) / 2
    return float((weight.sum(1) * y).sum()), float((weight.sum(0) * along).sum())


@pytest.mark.parametrize("degrees", [15, 30, 90])
@pytest.mark.parametrize(("height", "width"), [(40, 40), (30, 60), (60, 24)])
def test_what_is_turned_stays_as_far_from_the_middle(height: int, width: int, degrees: int) -> None:
    found = middle(random_affine(spot(height, width, 2.0, 6.0), degrees, 0.0, Largest()))
    turn = math.radians(degrees)
    assert found == pytest.approx(
        (2.0 * math.cos(turn) - 6.0 * math.sin(turn), 2.0 * math.sin(turn) + 6.0 * math.cos(turn)), abs=0.05
    )


def test_square_images_are_what_they_were_bit_for_bit() -> None:
    x = torch.from_numpy(np.random.default_rng(1).standard_normal((50, 3, 28, 28)).astype(np.float32))
    rng = np.random.default_rng(2)
    angle = torch.from_numpy(rng.uniform(-15, 15, 50) * (math.pi / 180)).to(x)
    zoom = torch.from_numpy(rng.uniform(0.8, 1.2, 50)).to(x)
    cos, sin, zero = torch.cos(angle) * zoom, torch.sin(angle) * zoom, torch.zeros_like(angle)
    theta = torch.stack([cos, -sin, zero, sin, cos, zero], 1).view(-1, 2, 3)
    before = F.grid_sample(
        x, F.affine_grid(theta, list(x.shape), align_corners=False), padding_mode="border", align_corners=False
    )
    assert torch.equal(random_affine(x, 15, 0.2, np.random.default_rng(2)), before)
