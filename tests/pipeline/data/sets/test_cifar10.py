# SPDX-License-Identifier: Apache-2.0
"""Data sets: input encoding, splits, sources."""

import hashlib
import io
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.data.dataset import Dataset, DatasetShape
from dimmer.pipeline.data.door import KnownFile
from dimmer.pipeline.data.registry import dataset_shape, load_dataset
from dimmer.pipeline.data.sets import cifar10 as cifar


def ramp(count: int = 6, size: int = 8) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.arange(count * size * size * 3, dtype=np.int64).astype(np.uint8).reshape(count, size, size, 3)


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


@pytest.mark.slow
@pytest.mark.shared
def test_cifar10_decodes_to_the_official_pixels_and_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIMMER_DATA", raising=False)
    check(load_dataset("cifar10"), (45_000, 5_000, 10_000))


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with no data set on it and no network."""
    monkeypatch.setattr(cifar, "_REPOSITORY", tmp_path / "repository")
    monkeypatch.delenv("DIMMER_DATA", raising=False)
    monkeypatch.setenv("DIMMER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cifar, "OFFICIAL_URL", (tmp_path / "absent.tar.gz").as_uri())
    return tmp_path


def test_without_any_source_the_error_says_what_to_put_where(nowhere: Path) -> None:
    with pytest.raises(DimmerError, match=r"cannot download CIFAR-10 from .* put that file at .*cache") as failure:
        cifar.load()
    assert "\n" not in str(failure.value)
    assert not list((nowhere / "cache").iterdir())


def archive(path: Path, contents: dict[bytes, object]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
            data = pickle.dumps(contents, protocol=2)
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def known(path: Path) -> KnownFile:
    """This file in the place of the one that there is only one of."""
    return KnownFile(hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)


def test_the_official_archive_is_read_plane_by_plane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).integers(0, 256, (4, 3072)).astype(np.uint8)
    path = archive(tmp_path / "official.tar.gz", {b"data": rows, b"labels": [3, 1, 4, 1]})
    monkeypatch.setattr(cifar, "OFFICIAL", known(path))
    x_train, y_train, x_test, y_test = cifar.read_official(path)
    assert x_train.shape == (20, 32, 32, 3)
    assert y_train.tolist() == [3, 1, 4, 1] * 5
    assert y_test.tolist() == [3, 1, 4, 1]
    assert x_test[1, 2, 3].tolist() == [rows[1, plane * 1024 + 2 * 32 + 3] for plane in range(3)]


def test_an_archive_that_would_run_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = archive(tmp_path / "evil.tar.gz", {b"data": io.BytesIO, b"labels": []})
    monkeypatch.setattr(cifar, "OFFICIAL", known(path))
    with pytest.raises(DimmerError, match="is not allowed"):
        cifar.read_official(path)


def test_a_download_is_checked_before_it_gets_its_name(tmp_path: Path) -> None:
    source, cached = tmp_path / "source", tmp_path / "cache" / "file"
    source.write_bytes(b"contents")
    with pytest.raises(DimmerError, match="sha256 differs"):
        cifar.download(source.as_uri(), "0" * 64, cached)
    assert not list(cached.parent.iterdir())
    cifar.download(source.as_uri(), hashlib.sha256(b"contents").hexdigest(), cached)
    assert cached.read_bytes() == b"contents"
    assert list(cached.parent.iterdir()) == [cached]


def test_a_damaged_cache_is_named(nowhere: Path) -> None:
    cached = nowhere / "cache" / cifar.OFFICIAL_FILE
    cached.parent.mkdir()
    cached.write_bytes(b"half a file")
    with pytest.raises(DimmerError, match=r"damaged .* remove it"):
        cifar.load()


def delta(path: Path, labels: Any = (0, 1)) -> Path:
    """A delta archive of two images, a part."""
    plane = np.zeros((2, 32, 32), np.uint8)
    names = [f"x_{part}_{colour}" for part in ("train", "test") for colour in ("g", "rg", "bg")]
    arrays: dict[str, Any] = dict.fromkeys(names, plane)
    np.savez(path, **arrays, y_train=np.array(labels, np.uint8), y_test=np.array(labels, np.uint8))
    return path


def test_a_delta_file_with_other_contents_is_refused(tmp_path: Path) -> None:
    path = delta(tmp_path / cifar.DELTA_FILE)
    with pytest.raises(DimmerError, match=r"is damaged \(.* bytes, not 109,576,510\); remove it to use another source"):
        cifar.read_delta(path)


def test_of_files_and_load_the_first_that_is_asked_tells(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIMMER_DATA", str(nowhere))
    delta(nowhere / cifar.DELTA_FILE)
    for ask in (cifar.files, cifar.load):
        with pytest.raises(DimmerError, match="is damaged"):
            ask()


def test_labels_of_other_shares_are_refused(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIMMER_DATA", str(nowhere))
    monkeypatch.setattr(cifar, "SHAPE", DatasetShape((32, 32, 3), 2))
    monkeypatch.setattr(cifar, "TRAIN_PER_CLASS", 1)
    path = delta(nowhere / cifar.DELTA_FILE, (1, 1))
    monkeypatch.setattr(cifar, "DELTA", known(path))
    with pytest.raises(DimmerError, match="train has 0 samples of class 0, not 1"):
        cifar.load()


def test_a_cache_that_cannot_be_made_is_named(nowhere: Path) -> None:
    (nowhere / "cache").write_text("a file, no folder")
    with pytest.raises(DimmerError, match=r"cannot download CIFAR-10 .*put that file at"):
        cifar.load()
