# SPDX-License-Identifier: Apache-2.0
"""Data sets: a known one is a module of `sets/` with SHAPE, `files()` and `load()`; one's own is an `OwnData`."""

from __future__ import annotations

import hashlib
import pkgutil
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from dimmer import processes
from dimmer.errors import DimmerError
from dimmer.pipeline.core.closure import file_hash
from dimmer.pipeline.data import sets
from dimmer.pipeline.data.dataset import Dataset, DatasetShape
from dimmer.pipeline.data.own import OWN, OwnData

Source = str | OwnData
"""Where samples are from: the name of a known data set, or data of one's own."""

# Computed, so that the stages of known data sets do not depend on it.
_PREPARE = ".".join((*__name__.split(".")[:-1], "prepare"))


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


def dataset_names() -> tuple[str, ...]:
    """What [model] dataset may be: a known one, or that of [data]."""
    return (*known_datasets(), OWN)


def dataset_modules(name: Source) -> tuple[str, ...]:
    """Full names of the modules that load a data set; only the stages that read it run them.

    Raises:
        DimmerError: there is no such data set.
    """
    if isinstance(name, OwnData):
        return (_PREPARE, name.reader)
    if name not in known_datasets():
        raise DimmerError(f"unknown data set '{name}'; known are: {', '.join(known_datasets())}")
    return (f"{sets.__name__}.{name}",)


def dataset_shape(name: Source) -> DatasetShape:
    """Size of its images and number of classes; loads nothing.

    Raises:
        DimmerError: there is no such data set.
    """
    return name.shape if isinstance(name, OwnData) else _module(name).SHAPE


def load_dataset(name: Source) -> Dataset:
    """Load a data set, from disk, package or the official site.

    Raises:
        DimmerError: unknown name, or its files are nowhere to be had.
    """
    if isinstance(name, OwnData):
        found: Dataset = import_module(_PREPARE).prepared(name).dataset
        return found.first(name.most) if name.most else found
    return _module(name).load()


def dataset_hash(name: Source) -> str:
    """SHA-256 over the contents of a data set's files: replaced data is other data, wherever it lies.

    Raises:
        DimmerError: as `load_dataset`.
    """
    if isinstance(name, OwnData):
        found: str = import_module(_PREPARE).own_hash(name)
        return f"{found}, {name.most}" if name.most else found
    digest = hashlib.sha256()
    for path in _module(name).files():
        digest.update(f"{path.name}\0{file_hash(path)}\n".encode())
    return digest.hexdigest()


def hash_of_all(source: Source) -> str:
    """`dataset_hash` in every process of `torchrun`: one of each machine fetches and reads, then the others."""
    with processes.once_a_machine():
        return dataset_hash(source)


def _module(name: str) -> DatasetModule:
    return cast(DatasetModule, import_module(*dataset_modules(name)))
