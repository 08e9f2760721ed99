# SPDX-License-Identifier: Apache-2.0
"""Labels of the packed CIFAR-10 were in no hash, and damaged copies ended in errors of zipfile, gzip and numpy."""

import gzip
import io
import tarfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.data.door import KnownFile, check_file
from dimmer.pipeline.data.registry import dataset_hash, load_dataset
from dimmer.pipeline.data.sets import cifar10, mnist5k
from tests.damage import damages

DAMAGES = 500


def packed(labels: np.ndarray) -> bytes:
    """A small one of CIFAR-10's packed form."""
    made = io.BytesIO()
    random = np.random.default_rng(0)
    planes = {
        f"x_{part}_{plane}": random.integers(0, 256, (len(labels), 32, 32)).astype(np.uint8)
        for part in ("train", "test")
        for plane in ("g", "rg", "bg")
    }
    np.savez_compressed(made, **planes, y_train=labels, y_test=labels)  # type: ignore[arg-type]
    return made.getvalue()


def official() -> bytes:
    """A small one of the official form."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
            data = np.random.default_rng(1).bytes(3000)
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return made.getvalue()


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where all sets are looked for."""
    monkeypatch.setattr(cifar10, "_REPOSITORY", tmp_path / "repository")
    monkeypatch.setenv("DIMMER_DATA", str(tmp_path))
    monkeypatch.setenv("DIMMER_CACHE", str(tmp_path))
    monkeypatch.setattr(mnist5k, "_archive", lambda: tmp_path / "mnist_5k.csv.gz")
    return tmp_path


FORMATS: dict[str, tuple[str, ModuleType, str, Callable[[], bytes]]] = {
    "packed": (cifar10.DELTA_FILE, cifar10, "DELTA", lambda: packed(np.arange(20, dtype=np.uint8) % 10)),
    "official": (cifar10.OFFICIAL_FILE, cifar10, "OFFICIAL", official),
    "digits": ("mnist_5k.csv.gz", mnist5k, "DIGITS", lambda: gzip.compress(b"0,1,2,3\n" * 500)),
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("size_known", [True, False])
def test_500_damaged_copies_are_500_lines(
    name: str, size_known: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, module, constant, make = FORMATS[name]
    whole = make()
    monkeypatch.setattr(module, constant, KnownFile(sha256(whole).hexdigest(), len(whole) if size_known else None))
    path, dataset = folder / file, "mnist5k" if module is mnist5k else "cifar10"
    path.write_bytes(whole)
    dataset_hash(dataset)
    for content in damages(whole, DAMAGES):
        # A new file each time: two writes in one tick of the clock may leave the same time.
        path.unlink()
        path.write_bytes(content)
        for ask in (dataset_hash, load_dataset):
            with pytest.raises(DimmerError) as failure:
                ask(dataset)
            told = str(failure.value)
            assert str(path) in told
            assert "\n" not in told
            assert "; remove it" in told or "; install it again" in told


def test_shifted_labels_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.arange(20, dtype=np.uint8) % 10
    whole = packed(labels)
    monkeypatch.setattr(cifar10, "DELTA", KnownFile(sha256(whole).hexdigest(), len(whole)))
    (folder / cifar10.DELTA_FILE).write_bytes(packed(np.roll(labels, 1)))
    with pytest.raises(DimmerError, match="is damaged"):
        load_dataset("cifar10")


@pytest.mark.shared
def test_the_packed_file_that_is_here_is_the_known_one() -> None:
    folder = cifar10._REPOSITORY.parent / "shared" / "data"
    assert check_file(folder / cifar10.DELTA_FILE, cifar10.DELTA, "").is_file()
