# SPDX-License-Identifier: Apache-2.0
"""CIFAR-10 (Krizhevsky, 2009): 60,000 colour images of 32x32 pixels in ten classes.

Looked for, in this order: a lossless delta-coded archive in ``$DIMMER_DATA`` or in ``../shared/data`` beside the
repository; the official archive in ``$DIMMER_CACHE`` (else ``~/.cache/dimmer``); the University of Toronto's site.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import pickle
import tarfile
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dimmer.errors import DimmerError
from dimmer.pipeline.data.dataset import Dataset, DatasetShape, Images, Labels, Split, stratified
from dimmer.pipeline.data.door import KnownFile, check_file, check_samples, is_there
from dimmer.project import cache_folder

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SPLIT_SEED = 10
TRAIN_SIZE, VAL_SIZE = 45_000, 5_000
TRAIN_PER_CLASS, TEST_PER_CLASS = 5_000, 1_000
SHAPE = DatasetShape((32, 32, 3), len(CLASSES))

DELTA_FILE = "cifar10_lossless_delta.npz"
DELTA = KnownFile("2ec6ccf3541f151997cf395edc8f9c70baf2262d29dfced5a1054ee4c34a6aaa", 109_576_510)
OFFICIAL_FILE = "cifar-10-python.tar.gz"
OFFICIAL_URL = f"https://www.cs.toronto.edu/~kriz/{OFFICIAL_FILE}"
OFFICIAL = KnownFile("6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce")

_REPOSITORY = Path(__file__).resolve().parents[3]
_TIMEOUT_S = 60
_CHUNK = 1 << 20

_WAY_OUT = "remove it to use another source, or copy it again"
_AGAIN = "remove it and run again"

Arrays = tuple[Images, Labels, Images, Labels]


def files() -> tuple[Path, ...]:
    """The archive that `load` reads, checked whole; the official one is fetched if none is here.

    Raises:
        DimmerError: no source at hand, or it is damaged.
    """
    delta = _find_delta()
    return (check_file(delta, DELTA, _WAY_OUT) if delta else _official_archive(),)


def load() -> Dataset:
    """Images uint8[N,32,32,3]; 45,000 / 5,000 / 10,000, the validation images drawn from the training ones.

    Raises:
        DimmerError: no source at hand, or its contents are not CIFAR-10.
    """
    delta = _find_delta()
    path, way_out = (delta, _WAY_OUT) if delta else (_official_archive(), _AGAIN)
    x_train, y_train, x_test, y_test = read_delta(path) if delta else read_official(path)
    everything = check_samples(path, "train", Split(x_train, y_train), SHAPE, TRAIN_PER_CLASS, way_out)
    test = check_samples(path, "test", Split(x_test, y_test), SHAPE, TEST_PER_CLASS, way_out)
    train, val = (everything.take(index) for index in stratified(y_train, (TRAIN_SIZE, VAL_SIZE), SPLIT_SEED))
    order = np.random.default_rng(SPLIT_SEED).permutation(len(y_test))
    return Dataset("cifar10", CLASSES, SHAPE.image_shape, train, val, test.take(order))


def _find_delta() -> Path | None:
    folders = [Path(os.environ["DIMMER_DATA"])] if "DIMMER_DATA" in os.environ else []
    folders.append(_REPOSITORY.parent / "shared" / "data")
    return next((folder / DELTA_FILE for folder in folders if is_there(folder / DELTA_FILE)), None)


def _undo_delta(delta: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows: NDArray[np.uint8] = np.cumsum(delta, axis=1, dtype=np.uint8)
    return np.cumsum(rows, axis=2, dtype=np.uint8)


def read_delta(path: Path) -> Arrays:
    """Check and decode the delta archive: planes g, r-g and b-g, each as a 2-D difference modulo 256.

    Raises:
        DimmerError: the file is not the known one.
    """
    check_file(path, DELTA, _WAY_OUT)
    parts: dict[str, tuple[Images, Labels]] = {}
    try:
        with np.load(path, allow_pickle=False) as archive:
            for part in ("train", "test"):
                green = _undo_delta(archive[f"x_{part}_g"])
                red = _undo_delta(archive[f"x_{part}_rg"]) + green
                blue = _undo_delta(archive[f"x_{part}_bg"]) + green
                images = np.stack([red, green, blue], -1)
                parts[part] = images, archive[f"y_{part}"].astype(np.int64)
    except (OSError, ValueError, KeyError) as error:
        raise DimmerError(f"{path} cannot be read ({error}); {_WAY_OUT}") from error
    return *parts["train"], *parts["test"]


def _official_archive() -> Path:
    archive = cache_folder() / OFFICIAL_FILE
    if not is_there(archive):
        download(OFFICIAL_URL, OFFICIAL.sha256, archive)
    return check_file(archive, OFFICIAL, _AGAIN)


def download(url: str, sha256: str, path: Path) -> None:
    """Fetch a file, check it, and only then give it its name.

    Raises:
        DimmerError: the site cannot be reached or sends something else.
    """
    digest = hashlib.sha256()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, suffix=".part") as part:
            with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:
                while chunk := answer.read(_CHUNK):
                    digest.update(chunk)
                    part.write(chunk)
            part.flush()
            os.fsync(part.fileno())
            if digest.hexdigest() != sha256:
                raise DimmerError(f"{url} did not send the expected file (sha256 differs); put it at {path} yourself")
            # Another process may have been faster, with the same contents.
            with contextlib.suppress(FileExistsError):
                os.link(part.name, path)
    except (OSError, urllib.error.URLError) as error:
        raise DimmerError(
            f"cannot download CIFAR-10 from {url} ({error}); put that file at {path}, or {DELTA_FILE} into $DIMMER_DATA"
        ) from error


_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}


class _NumpyOnly(pickle.Unpickler):
    """Reads the official batches, which hold numpy arrays and lists, and refuses everything else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def read_official(path: Path) -> Arrays:
    """Check and read the official python archive: 5 training batches and a test batch, planes R, G, B a row.

    Raises:
        DimmerError: the file is not the known one, or a batch holds something other than arrays.
    """
    check_file(path, OFFICIAL, _AGAIN)

    def batch(archive: tarfile.TarFile, name: str) -> tuple[Images, Labels]:
        file = archive.extractfile(f"cifar-10-batches-py/{name}")
        if file is None:
            raise KeyError(name)
        contents = _NumpyOnly(io.BytesIO(file.read()), encoding="bytes").load()
        rows = np.asarray(contents[b"data"], np.uint8).reshape(-1, 3, 32, 32)
        return rows.transpose(0, 2, 3, 1), np.asarray(contents[b"labels"], np.int64)

    try:
        with tarfile.open(path, "r:gz") as archive:
            train = [batch(archive, f"data_batch_{i}") for i in range(1, 6)]
            x_test, y_test = batch(archive, "test_batch")
    except (OSError, EOFError, KeyError, ValueError, tarfile.TarError, pickle.UnpicklingError) as error:
        raise DimmerError(f"{path} is not the official CIFAR-10 archive ({error}); {_AGAIN}") from error
    x_train = np.concatenate([images for images, _ in train])
    y_train = np.concatenate([labels for _, labels in train])
    return x_train, y_train, np.ascontiguousarray(x_test), y_test
