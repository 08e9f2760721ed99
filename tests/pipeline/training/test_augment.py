# SPDX-License-Identifier: Apache-2.0
"""Augmentation of training images."""

import numpy as np
import pytest
import torch

from dimmer.pipeline.data.encoding import to_input
from dimmer.pipeline.training.augment import device_crops, pad, random_affine, random_areas, random_crops, random_flips


def ramp(count: int = 6, size: int = 8) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.arange(count * size * size * 3, dtype=np.int64).astype(np.uint8).reshape(count, size, size, 3)


def test_crops_are_windows_of_their_own_image() -> None:
    images = pad(ramp(), 2, 9)
    crops = random_crops(images, (8, 8), np.random.default_rng(0))
    windows = np.lib.stride_tricks.sliding_window_view(images, (8, 8), axis=(1, 2)).transpose(0, 1, 2, 4, 5, 3)
    places = [
        {(r, c) for r in range(5) for c in range(5) if np.array_equal(windows[i, r, c], crops[i])} for i in range(6)
    ]
    assert all(places)
    assert len(set.union(*places)) > 3


def test_flips_mirror_some_images_and_leave_the_input_alone() -> None:
    images = ramp(20)
    flipped = random_flips(images, np.random.default_rng(0))
    mirrored = [np.array_equal(flipped[i], images[i, :, ::-1]) for i in range(20)]
    kept = [np.array_equal(flipped[i], images[i]) for i in range(20)]
    assert all(m != k for m, k in zip(mirrored, kept, strict=True))
    assert 4 <= sum(mirrored) <= 16
    assert np.array_equal(images, ramp(20))


def test_no_rotation_and_no_zoom_is_the_identity() -> None:
    x = to_input(ramp())
    assert torch.allclose(random_affine(x, 0.0, 0.0, np.random.default_rng(0)), x, atol=1e-5)
    assert not torch.allclose(random_affine(x, 20.0, 0.0, np.random.default_rng(0)), x, atol=0.1)


@pytest.mark.parametrize("flip", [True, False])
def test_crops_made_on_a_device_are_those_of_the_cpu(flip: bool) -> None:
    images, index = pad(ramp(), 2, 128), np.array([4, 0, 3, 3, 5])
    wanted = random_crops(images[index], (8, 8), np.random.default_rng(7))
    if flip:
        rng = np.random.default_rng(7)
        wanted = random_flips(random_crops(images[index], (8, 8), rng), rng)
    on_device = torch.from_numpy(images)
    found = device_crops(on_device, index, (8, 8), np.random.default_rng(7), crop=True, flip=flip)
    assert torch.equal(found, to_input(wanted))


def test_without_crops_the_device_gives_the_images_themselves() -> None:
    images = ramp()
    found = device_crops(
        torch.from_numpy(images), np.arange(3), (8, 8), np.random.default_rng(0), crop=False, flip=False
    )
    assert torch.equal(found, to_input(images[:3]))


def test_a_part_of_an_image_is_brought_to_its_size() -> None:
    ramp = torch.linspace(0, 1, 32).expand(64, 1, 32, 32).contiguous()
    found = random_areas(ramp, 0.25, np.random.default_rng(0))
    assert found.shape == ramp.shape
    spans = (found[..., -1] - found[..., 0]).mean((1, 2))
    # Widths of parts of 25 to 100 % of the area, with proportions of 3 : 4 to 4 : 3.
    assert 0.5 * (3 / 4) ** 0.5 * 0.9 < float(spans.min()) < 0.6
    assert 0.9 < float(spans.max()) <= 1.0
    assert float(found.min()) >= 0
    assert float(found.max()) <= 1
