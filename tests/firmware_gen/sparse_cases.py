# SPDX-License-Identifier: Apache-2.0
"""Tensors without their zeros, as files hold them: written here from the schema's definition, level by level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.firmware_gen.tflite_builder import Array, Layers

VECTORS = {
    "int32": (schema.SparseIndexVector.Int32Vector, schema.Int32VectorT),
    "uint16": (schema.SparseIndexVector.Uint16Vector, schema.Uint16VectorT),
    "uint8": (schema.SparseIndexVector.Uint8Vector, schema.Uint8VectorT),
}


@dataclass(frozen=True)
class Encoding:
    """How a tensor is written.

    Attributes:
        order: the dimension of each level, those of blocks behind the tensor's.
        blocks: dimension of the tensor -> size of its blocks.
        compressed: levels without zeros.
    """

    order: tuple[int, ...]
    blocks: dict[int, int]
    compressed: frozenset[int]


def some(random: np.random.Generator, shape: Sequence[int]) -> Encoding:
    """Any encoding of a shape."""
    rank = len(shape)
    blocks = {axis: size for axis, n in enumerate(shape) for size in (2, 4) if n % size == 0 and random.random() < 0.3}
    levels = rank + len(blocks)
    order = tuple(int(place) for place in random.permutation(levels))
    blocked = [level for level, dimension in enumerate(order) if dimension >= rank]
    free = [level for level in range(levels) if level not in blocked]
    return Encoding(order, blocks, frozenset(level for level in free if random.random() < 0.6))


def encoded(dense: Array, how: Encoding, vector: str = "uint8") -> tuple[Any, Array]:
    """`SparsityParameters`, and the values that are kept."""
    rank = dense.ndim
    split: list[int] = []
    outer = []
    inner = []
    for axis, size in enumerate(dense.shape):
        outer.append(len(split))
        split.append(size // how.blocks.get(axis, 1))
        if axis in how.blocks:
            inner.append(len(split))
            split.append(how.blocks[axis])
    axes = [*outer, *inner]
    walked = dense.reshape(split).transpose([axes[dimension] for dimension in how.order])
    levels: list[Any] = []
    trees = [walked]
    for level, size in enumerate(walked.shape):
        made = schema.DimensionMetadataT()
        if level in how.compressed:
            kept = [[index for index in range(size) if tree[index].any()] for tree in trees]
            starts = np.cumsum([0, *(len(indices) for indices in kept)]).tolist()
            indices = [index for places in kept for index in places]
            made.format = schema.DimensionType.SPARSE_CSR
            widest = vector if max([*starts, *indices]) < 256 else "int32"
            made.arraySegmentsType, made.arraySegments = _vector(widest, starts)
            made.arrayIndicesType, made.arrayIndices = _vector(vector, indices)
            trees = [tree[index] for tree, places in zip(trees, kept, strict=True) for index in places]
        else:
            made.denseSize = size
            trees = [tree[index] for tree in trees for index in range(size)]
        levels.append(made)
    found = schema.SparsityParametersT()
    found.traversalOrder, found.blockMap, found.dimMetadata = list(how.order), list(how.blocks), levels
    assert len(how.order) == rank + len(how.blocks)
    return found, np.array(trees, dtype=dense.dtype)


def _vector(kind: str, values: Sequence[int]) -> tuple[int, Any]:
    code, table = VECTORS[kind]
    made = table()
    made.values = np.array(values, dtype=kind)
    return code, made


def with_zeros(random: np.random.Generator, shape: Sequence[int], share: float = 0.7) -> Array:
    return np.where(random.random(tuple(shape)) < share, 0, random.integers(-127, 128, size=tuple(shape))).astype(
        np.int8
    )


def sparse_dense(net: Layers, x: int, channels: int, how: Encoding, vector: str = "uint8") -> int:
    """FULLY_CONNECTED of weights that DENSIFY unpacks."""
    depth = net.shape(x)[1]
    dense = with_zeros(net.random, (channels, depth))
    sparsity, kept = encoded(dense, how, vector)
    stored = net.tensor(net.name("stored"), dense.shape, "int8", 0.01, 0, 0, kept)
    net.tensors[stored].sparsity = sparsity
    weights = net.operator("DENSIFY", [stored], net.tensor(net.name("weights"), dense.shape, "int8", 0.01, 0))
    output = net.output_of([1, channels], depth, x, weights)
    return net.operator("FULLY_CONNECTED", [x, weights, net.bias(channels)], output)


def tiny_sparse(seed: int = 15) -> bytes:
    """Two layers, of rows and of blocks."""
    net = Layers(seed)
    x = net.activation([1, 16])
    y = sparse_dense(net, x, 12, Encoding((0, 1), {}, frozenset({1})))
    return net.build(x, sparse_dense(net, y, 8, Encoding((0, 1, 2), {1: 4}, frozenset({1})), "uint16"))
