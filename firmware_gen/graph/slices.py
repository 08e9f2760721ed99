# SPDX-License-Identifier: Apache-2.0
"""Weights of 4 and 2 bits that are slices of another mode's int8 weights, and so need no byte of their own.

    q4 = clamp((q8 + 8) >> 4, -7, 7)        q2 = 7 clamp((q8 + 32) >> 6, -1, 1)

A 2-bit weight is -7, 0 or 7, so that biases, whole numbers of steps of input times weight, are seven times as fine.
They are recognised by value: whoever made the files, and whatever the tensors are called.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from dimmer.firmware_gen.graph.types import Conv2d, Graph, Tensor

SLICES = {4: (4, 7), 2: (6, 1)}
"""Bits of a weight -> (right shift of its int8 code, largest magnitude)."""
UNITS = {8: 1, 4: 1, 2: 7}
"""Bits of a weight -> what stands for a slice of 1."""

Int8 = npt.NDArray[np.int8]


def sliced(codes: Int8, bits: int) -> Int8:
    """The weights that a kernel computes with: int8 codes, or their slice, rounded half up."""
    if bits == 8:
        return codes
    shift, largest = SLICES[bits]
    rounded = np.clip((codes.astype(np.int16) + (1 << (shift - 1))) >> shift, -largest, largest)
    weights: Int8 = (rounded * UNITS[bits]).astype(np.int8)
    return weights


def resolve_slices(graphs: Sequence[Graph]) -> tuple[Graph, ...]:
    """Finds for every INT4 weight the int8 weights of any of these graphs that it is a slice of.

    Only convolutions' weights are looked at, as only their kernels slice. Such a tensor then holds the int8 codes and
    the bits of the slice; an INT4 tensor that is a slice of none is an int8 tensor from here on.
    """
    wide: dict[tuple[int, ...], dict[bytes, None]] = {}
    for graph in graphs:
        for index in _convolution_weights(graph):
            tensor = graph.tensors[index]
            if tensor.weight_bits == 8 and tensor.data is not None:
                wide.setdefault(tensor.shape, {})[tensor.data] = None
    known: dict[tuple[tuple[int, ...], bytes], tuple[bytes, int]] = {}
    for shape, candidates in wide.items():
        for data in candidates:
            for bits in SLICES:
                known.setdefault((shape, sliced(np.frombuffer(data, np.int8), bits).tobytes()), (data, bits))
    return tuple(_resolved(graph, known) for graph in graphs)


def _convolution_weights(graph: Graph) -> list[int]:
    return [operator.inputs[1] for operator in graph.operators if isinstance(operator.options, Conv2d)]


def _resolved(graph: Graph, known: dict[tuple[tuple[int, ...], bytes], tuple[bytes, int]]) -> Graph:
    if all(tensor.weight_bits == 8 for tensor in graph.tensors):
        return graph
    convolutions = set(_convolution_weights(graph))

    def resolve(index: int, tensor: Tensor) -> Tensor:
        if tensor.weight_bits == 8:
            return tensor
        data, bits = (tensor.data or b"", 8)
        if index in convolutions:
            data, bits = known.get((tensor.shape, data), (data, bits))
        return replace(tensor, data=data, weight_bits=bits)

    return replace(graph, tensors=tuple(resolve(index, tensor) for index, tensor in enumerate(graph.tensors)))
