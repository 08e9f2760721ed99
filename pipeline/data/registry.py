# SPDX-License-Identifier: Apache-2.0
"""Data sets by name: each is a module of `sets/` with SHAPE, `files()` and `load()`."""

from __future__ import annotations

import hashlib
import pkgutil
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from dimmer.errors import DimmerError
from dimmer.pipeline.core.closure import file_hash
from dimmer.pipeline.data import sets
from dimmer.pipeline.data.dataset import Dataset, DatasetShape


class DatasetModule(Protocol):
    """What a module of `sets/` has.

    Attributes:
        SHAPE: known without loading anything.
    """

    SHAPE: DatasetShape

    def files(self) -> tuple[Path, ...]:
        """The files that `load` reads; those that are not here are fetched first."""

    def load(self) -> Dataset:
        """All images and labels, in splits that never change."""


def known_datasets() -> tuple[str, ...]:
    """Names of the data sets, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(sets.__path__)))


def dataset_module(name: str) -> str:
    """Full name of the module that loads a data set; only the stages that read it run that module.

    Raises:
        DimmerError: there is no such data set.
    """
    if name not in known_datasets():
        raise DimmerError(f"unknown data set '{name}'; known are: {', '.join(known_datasets())}")
    return f"{sets.__name__}.{name}"


def dataset_shape(name: str) -> DatasetShape:
    """Size of its images and number of classes; loads nothing.

    Raises:
        DimmerError: there is no such data set.
    """
    return _module(name).SHAPE


def load_dataset(name: str) -> Dataset:
    """Load a data set, from disk, package or the official site.

    Raises:
        DimmerError: unknown name, or its files are nowhere to be had.
    """
    return _module(name).load()


def dataset_hash(name: str) -> str:
    """SHA-256 over the contents of a data set's files: replaced data is other data, wherever it lies.

    Raises:
        DimmerError: as `load_dataset`.
    """
    digest = hashlib.sha256()
    for path in _module(name).files():
        digest.update(f"{path.name}\0{file_hash(path)}\n".encode())
    return digest.hexdigest()


def _module(name: str) -> DatasetModule:
    return cast(DatasetModule, import_module(dataset_module(name)))
