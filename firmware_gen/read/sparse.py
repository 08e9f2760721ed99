# SPDX-License-Identifier: Apache-2.0
"""Constants that a file keeps without their zeros, as `SparsityParameters` of TFLite's schema describes them.

Levels are walked one within the other, a dimension of the tensor or of a block each. A dense level has every index; of
a sparse one (compressed rows) the segments tell which run of the list of indices belongs to each place of the level
before. The file holds a value for each place of the last level.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

DENSE, COMPRESSED = 0, 1


class SparsityError(ValueError):
    """What contradicts itself, in words."""


@dataclass(frozen=True, slots=True)
class Level:
    """One dimension of the traversal.

    Attributes:
        size: indices of a dense level.
        segments: of a sparse one, where in `indices` each place of the level before begins, and the end.
        indices: of a sparse one.
    """

    size: int = 0
    segments: tuple[int, ...] | None = None
    indices: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Sparsity:
    """How a tensor's values lie.

    Attributes:
        order: the dimension of each level; from the tensor's rank on they are those of its blocks.
        blocks: for each dimension of a block the one of the tensor that it divides.
        levels: the outermost first.
    """

    order: tuple[int, ...]
    blocks: tuple[int, ...]
    levels: tuple[Level, ...]


def expanded(sparsity: Sparsity, shape: tuple[int, ...], data: bytes, element: int) -> bytes:
    """All values of a tensor, row-major.

    Args:
        data: the values that the file holds, `element` bytes each.

    Raises:
        SparsityError: they do not describe a tensor of this shape.
    """
    rank, elements = len(shape), math.prod(shape)
    order, blocks = sparsity.order, sparsity.blocks
    if sorted(order) != list(range(rank + len(blocks))) or len(sparsity.levels) != len(order):
        raise SparsityError(f"its {len(sparsity.levels)} levels in the order {list(order)} are not its dimensions")
    if len({*blocks}) < len(blocks) or any(not 0 <= dimension < rank for dimension in blocks):
        raise SparsityError(f"its blocks divide the dimensions {list(blocks)}, not a different one each")
    sizes = list(shape)
    for place, dimension in enumerate(blocks):
        level = sparsity.levels[order.index(rank + place)]
        if level.segments is not None or level.size < 1 or shape[dimension] % level.size:
            raise SparsityError(f"its dimension {dimension} of {shape[dimension]} is not made of blocks")
        sizes[dimension] //= level.size
        sizes.append(level.size)
    strides = _strides(shape, blocks, sizes)
    places = np.zeros(1, dtype=np.int64)
    for level, dimension in zip(sparsity.levels, order, strict=True):
        parents, indices = _walked(level, len(places), sizes[dimension], elements)
        places = places[parents] + indices * strides[dimension]
    if len(data) != len(places) * element:
        raise SparsityError(f"it needs {len(places)} values of {element} bytes, its buffer has {len(data)} bytes")
    if len(np.unique(places)) < len(places):
        raise SparsityError("it has two values in one place")
    dense = np.zeros((elements, element), dtype=np.uint8)
    dense[places] = np.frombuffer(data, dtype=np.uint8).reshape(-1, element)
    return dense.tobytes()


def _strides(shape: tuple[int, ...], blocks: tuple[int, ...], sizes: list[int]) -> list[int]:
    """Elements to the next index of each dimension, those of blocks behind the tensor's."""
    plain = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    inner = [plain[dimension] for dimension in blocks]
    for place, dimension in enumerate(blocks):
        plain[dimension] *= sizes[len(shape) + place]
    return [*plain, *inner]


def _walked(level: Level, places: int, size: int, most: int) -> tuple[Any, Any]:
    """For each place of a level the place before that it belongs to, and its index."""
    if level.segments is None:
        if level.size != size:
            raise SparsityError(f"a level has {level.size} indices where its dimension has {size}")
        if places * size > most:
            raise SparsityError("it has more values than the tensor")
        return np.repeat(np.arange(places), size), np.tile(np.arange(size), places)
    segments, indices = np.array(level.segments, dtype=np.int64), np.array(level.indices, dtype=np.int64)
    counts = np.diff(segments)
    if len(segments) != places + 1 or segments[0] != 0 or (counts < 0).any() or segments[-1] != len(indices):
        raise SparsityError(f"a level has {len(segments)} segments of {len(indices)} indices for {places} places")
    if len(indices) > most or (indices < 0).any() or (indices >= size).any():
        raise SparsityError(f"an index of a level is outside its dimension of {size}")
    return np.repeat(np.arange(places), counts), indices
