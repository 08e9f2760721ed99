# SPDX-License-Identifier: Apache-2.0
"""Batches of augmented images."""

from pathlib import Path

import numpy as np
import torch

from dimmer.pipeline.data.encoding import to_input
from dimmer.pipeline.recipe.sections.training import Augmentation
from dimmer.pipeline.training import batches
from dimmer.pipeline.training.augment import pad, random_affine, random_crops, random_flips
from dimmer.pipeline.training.batches import Batches, SettlingBatches, augment
from tests.pipeline.training.small import CPU, bright_or_dark

IMAGES = bright_or_dark().train.images


def plain() -> Batches:
    return Batches(IMAGES, (8, 8), Augmentation(), CPU)


def test_without_augmentation_a_batch_is_the_images_at_its_positions() -> None:
    index = np.array([5, 0, 5])
    assert torch.equal(plain()(index, np.random.default_rng(0)), to_input(IMAGES[index]))
    assert len(plain()) == 70


def test_equal_generators_give_equal_batches_and_each_step_of_augmentation_changes_them() -> None:
    index = np.arange(20)
    unchanged = to_input(IMAGES[index])
    for settings in (Augmentation(pad=2), Augmentation(flip=True), Augmentation(rotate=20.0), Augmentation(zoom=0.3)):
        images = Batches(IMAGES, (8, 8), settings, CPU)
        first, again = images(index, np.random.default_rng(3)), images(index, np.random.default_rng(3))
        assert torch.equal(first, again)
        assert first.shape == unchanged.shape
        assert not torch.allclose(first, unchanged)


def test_an_image_is_shifted_mirrored_and_turned_in_this_order() -> None:
    settings = Augmentation(pad=1, pad_value=0, flip=True, rotate=10.0)
    padded = pad(IMAGES[:4], 1, 0)
    rng, same = np.random.default_rng(1), np.random.default_rng(1)
    found = augment(IMAGES[:4], (8, 8), settings, rng)
    crops = random_flips(random_crops(padded, (8, 8), same), same)
    assert torch.equal(found, random_affine(to_input(crops), 10.0, 0.0, same))


def test_norms_settle_on_whole_batches_of_different_images() -> None:
    lazy = SettlingBatches(plain(), 16, seed=1)
    found = list(lazy)
    assert all(map(torch.equal, found, lazy)), "the same pixels again"
    assert [len(batch) for batch in found] == [16] * 4
    rows = torch.cat(found).flatten(1)
    assert len(rows.unique(dim=0)) == len(rows)
    assert not torch.equal(found[0], next(iter(SettlingBatches(plain(), 16, seed=2))))


def test_fewer_images_than_a_batch_are_one_and_many_are_enough() -> None:
    assert [len(batch) for batch in SettlingBatches(plain(), 128, seed=1)] == [70]
    many = Batches(np.tile(IMAGES, (3, 1, 1, 1)), (8, 8), Augmentation(), CPU)
    assert len(list(SettlingBatches(many, 2, seed=1))) == batches.SETTLING_BATCHES


def test_norms_settle_on_images_in_the_training_s_own_order() -> None:
    """Where each class is drawn equally often, a rare one counts as much."""
    (found,) = SettlingBatches(plain(), 70, seed=1, order=lambda rng: np.repeat(rng.integers(0, 70, 1), 70))
    assert len(found.flatten(1).unique(dim=0)) == 1


def test_images_in_a_file_stay_there(tmp_path: Path) -> None:
    """What is larger than memory is never copied whole: only a batch has a border."""
    np.save(tmp_path / "images.npy", IMAGES)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    settings, index = Augmentation(pad=2), np.array([3, 60])
    images = Batches(mapped, (8, 8), settings, CPU)
    assert images._images is mapped
    of_memory = Batches(IMAGES, (8, 8), settings, CPU)(index, np.random.default_rng(0))
    assert torch.equal(images(index, np.random.default_rng(0)), of_memory)
