"""Data sets: one file each, one interface, one input encoding.

Images are uint8[N,H,W,C] on disk and in memory. A network's input is ``(pixel - 128) / 64``, so that the int8
input of a quantised network is exactly ``pixel - 128`` with scale 1/64 and zero point 0: firmware needs one
subtraction and no table.
"""

from __future__ import annotations

from collections.abc import Callable

from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.data.dataset import Dataset, DatasetShape


def _mnist5k() -> Dataset:
    from dimmer.pipeline.data.sets.mnist5k import load

    return load()


def _cifar10() -> Dataset:
    from dimmer.pipeline.data.sets.cifar10 import load

    return load()


DATASETS: dict[str, Callable[[], Dataset]] = {"mnist5k": _mnist5k, "cifar10": _cifar10}


SHAPES = {"mnist5k": DatasetShape((28, 28, 1), 10), "cifar10": DatasetShape((32, 32, 3), 10)}


def load_dataset(name: str) -> Dataset:
    """Load a data set by name, from disk, package or the official site.

    Raises:
        DimmerError: unknown name, or its files are nowhere to be had.
    """
    if name not in DATASETS:
        raise DimmerError(f"unknown data set '{name}'; known are: {', '.join(DATASETS)}")
    return DATASETS[name]()
