# SPDX-License-Identifier: Apache-2.0
"""Augmentation by libraries: seeded, resumable, refused in one line. The libraries themselves where they are."""

from __future__ import annotations

import dataclasses
import random
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from dimmer.errors import DimmerError
from dimmer.pipeline.core.closure import closure
from dimmer.pipeline.data.dataset import Dataset
from dimmer.pipeline.data.own import OwnData
from dimmer.pipeline.data.prepare import prepared
from dimmer.pipeline.recipe.sections.training import Augmentation
from dimmer.pipeline.recipe.sections.transforms import LIBRARY
from dimmer.pipeline.training import library, loop
from dimmer.pipeline.training.batches import Batches
from dimmer.pipeline.training.settings import TrainingSettings
from tests.own_data import cache, write_recordings
from tests.pipeline.data.readers.test_heard import HEARD, SECTION
from tests.pipeline.training.small import CPU, bright_or_dark
from tests.pipeline.training.test_loop import assert_same_bytes_when_interrupted

__all__ = ["cache"]
IMAGES = bright_or_dark().train.images


class Fade:
    """Of images: less bright by a random share."""

    def __init__(self, most: float = 1.0) -> None:
        self.most = most

    def __call__(self, image: Tensor) -> Tensor:
        return (image * (1 - self.most * torch.rand(1))).to(torch.uint8)


class Halve:
    """Of images: another size."""

    def __call__(self, image: Tensor) -> Tensor:
        return image[:, ::2]


class Noise:
    """Of sounds: draws as audiomentations does, from Python's generator and from numpy's."""

    def __init__(self, most: float = 0.5) -> None:
        self.most = most

    def __call__(self, samples: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
        assert sample_rate == SECTION.rate
        noise = np.random.uniform(-1, 1, len(samples)).astype(np.float32)
        return samples + np.float32(self.most * random.random()) * noise


class Cut:
    """Of sounds: fewer samples."""

    def __call__(self, samples: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
        return samples[1:]


@pytest.fixture(autouse=True)
def libraries(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Libraries with these transforms alone, but for tests of the real ones."""
    library._made.cache_clear()
    if "real" in request.node.name:
        return
    for name, classes in (
        ("torchvision", ()),
        ("torchvision.transforms", ()),
        ("torchvision.transforms.v2", (Fade, Halve)),
        ("audiomentations", (Noise, Cut)),
    ):
        module = ModuleType(name)
        for cls in classes:
            setattr(module, cls.__name__, cls)
        monkeypatch.setitem(sys.modules, name, module)


def test_a_batch_depends_on_its_generator_alone_and_leaves_the_others_as_they_were() -> None:
    settings = Augmentation(torchvision=("Fade(most=0.9)",), flip=True)
    images, index = Batches(IMAGES, (8, 8), settings, CPU), np.arange(20)
    before = random.getstate(), torch.get_rng_state(), np.random.get_state()[1].copy()  # type: ignore[index]
    first = images(index, np.random.default_rng(3))
    assert random.getstate() == before[0]
    assert torch.equal(torch.get_rng_state(), before[1])
    assert np.array_equal(np.random.get_state()[1], before[2])  # type: ignore[index]
    torch.manual_seed(5)
    assert torch.equal(images(index, np.random.default_rng(3)), first)
    assert not torch.equal(images(index, np.random.default_rng(4)), first)
    # Each image draws for itself.
    same = Batches(np.repeat(IMAGES[:1], 2, 0), (8, 8), Augmentation(torchvision=("Fade",)), CPU)
    one, other = same(np.arange(2), np.random.default_rng(0))
    assert not torch.equal(one, other)


def sounding(folder: Path, heard: bool) -> Dataset:
    write_recordings(folder / "d", {"low": 8, "high": 8})
    return prepared(OwnData(SECTION, folder, HEARD if heard else None, sounds=True)).dataset


@pytest.mark.parametrize("heard", [True, False])
def test_sounds_are_changed_before_they_are_heard(tmp_path: Path, cache: Path, heard: bool) -> None:
    data = sounding(tmp_path, heard)
    assert data.sounds is not None
    index = np.arange(len(data.train))
    np.testing.assert_array_equal(data.sounds.codes(data.sounds.windows(index)), data.train.images)
    size = data.image_shape[:2]
    batches = Batches(data.train.images, size, Augmentation(audiomentations=("Noise(most=0.3)",)), CPU, data.sounds)
    found = batches(index, np.random.default_rng(3))
    assert torch.equal(batches(index, np.random.default_rng(3)), found)
    assert not torch.equal(batches(index, np.random.default_rng(4)), found)
    assert not torch.equal(
        Batches(data.train.images, size, Augmentation(), CPU)(index, np.random.default_rng(3)), found
    )
    # Nobody else keeps them.
    plainly = prepared(OwnData(SECTION, tmp_path, HEARD if heard else None)).dataset
    assert plainly.sounds is None
    np.testing.assert_array_equal(plainly.train.images, data.train.images)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"torchvision": ("Blur",)}, "torchvision.transforms.v2 has no such transform"),
        ({"torchvision": ("Fade(least=1)",)}, "TypeError"),
        ({"torchvision": ("Halve",)}, "gives uint8[1, 4, 8], not uint8[1, 8, 8]"),
        ({"torchvision": ("Fade(most='a')",)}, "TypeError"),
    ],
)
def test_what_a_library_does_not_take_is_one_line(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(DimmerError, match=r"^train\.augmentation\.torchvision: ") as error:
        Batches(IMAGES, (8, 8), Augmentation(**settings), CPU)(np.arange(2), np.random.default_rng(0))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_sound_keeps_its_length(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match=r"audiomentations: 'Cut': gives float32\[479\], not finite \[480\]"):
        library.transformed_sounds(np.zeros((1, 480), np.float32), 2000, ("Cut",), np.random.default_rng(0))


@pytest.mark.parametrize(("key", "package"), [("torchvision", "torchvision"), ("audiomentations", "audiomentations")])
def test_a_package_that_is_not_there_is_told_before_the_training(
    monkeypatch: pytest.MonkeyPatch, settings: TrainingSettings, tmp_path: Path, key: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    wanted = with_augmentation(settings, **{key: ("Fade",)})
    with pytest.raises(DimmerError) as error:
        loop.train(wanted, tmp_path / "out")
    assert str(error.value) == (
        f"train.augmentation.{key}: {package} is not installed: pip install 'dimmer-nn[augment]'"
    )
    assert not (tmp_path / "out").exists()


def with_augmentation(settings: TrainingSettings, **changes: Any) -> TrainingSettings:
    train = dataclasses.replace(settings.train, augmentation=Augmentation(**changes))
    return dataclasses.replace(settings, train=train)


@pytest.mark.slow
def test_an_interrupted_training_ends_in_the_same_bytes(settings: TrainingSettings, tmp_path: Path) -> None:
    assert_same_bytes_when_interrupted(
        with_augmentation(settings, torchvision=("Fade(most=0.5)",), pad=1), tmp_path, 0.75
    )


def test_no_other_training_depends_on_it() -> None:
    assert "pipeline/training/library.py" not in closure("dimmer.pipeline.training.loop").hashes()
    assert "pipeline/training/library.py" in closure("dimmer.pipeline.training.loop", LIBRARY).hashes()
    assert "audiomentations" in closure(LIBRARY, "audiomentations").versions()


@pytest.mark.slow
def test_real_transforms_of_images() -> None:
    texts = (
        "RandomRotation(degrees=10)",
        "ColorJitter(brightness=0.3)",
        "GaussianBlur(kernel_size=3)",
        "RandomErasing",
    )
    try:
        library.check_library(Augmentation(torchvision=texts))
    except DimmerError as error:
        if "is not installed" not in str(error):
            raise
        pytest.skip(str(error))
    images = Batches(IMAGES, (8, 8), Augmentation(torchvision=texts), CPU)
    first = images(np.arange(30), np.random.default_rng(1))
    assert torch.equal(images(np.arange(30), np.random.default_rng(1)), first)
    assert not torch.equal(images(np.arange(30), np.random.default_rng(2)), first)


@pytest.mark.slow
def test_real_transforms_of_sounds(tmp_path: Path, cache: Path) -> None:
    pytest.importorskip("audiomentations", reason="needs pip install 'dimmer-nn[augment]'")
    data = sounding(tmp_path, heard=True)
    texts = ("AddGaussianNoise(p=1.0)", "Gain(p=0.5)", "Shift(p=0.5)", "PitchShift(p=0.3)")
    batches = Batches(data.train.images, data.image_shape[:2], Augmentation(audiomentations=texts), CPU, data.sounds)
    index = np.arange(len(data.train))
    first = batches(index, np.random.default_rng(1))
    assert torch.equal(batches(index, np.random.default_rng(1)), first)
    assert not torch.equal(batches(index, np.random.default_rng(2)), first)


def test_a_part_of_a_batch_is_changed_as_in_the_whole() -> None:
    settings = Augmentation(torchvision=("Fade(most=0.9)",), pad=1, flip=True)
    images, index = Batches(IMAGES, IMAGES.shape[1:3], settings, CPU), np.arange(20)
    whole = images(index, np.random.default_rng(3))
    parts = [images(index, np.random.default_rng(3), slice(n, None, 4)) for n in range(4)]
    assert all(torch.equal(part, whole[n::4]) for n, part in enumerate(parts))
