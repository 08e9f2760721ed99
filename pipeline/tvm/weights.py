# SPDX-License-Identifier: Apache-2.0
"""All weights of a module, equal ones once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dimmer.firmware_gen.graph.types import DepthwiseConv2d, FullyConnected, Graph, Operator
from dimmer.pipeline.tvm.document import WEIGHTS, save_weight_list
from dimmer.pipeline.tvm.dot import Dot
from dimmer.pipeline.tvm.parts import TableWeight

Array = npt.NDArray[Any]

ALIGN = 64  # of a weight in weights.bin, as TVM aligns its own tensors


@dataclass
class Weights:
    """The weights of all modes; equal ones are one."""

    arrays: list[Array] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    _places: dict[tuple[bytes, tuple[int, ...]], int] = field(default_factory=dict)

    def add(self, name: str, array: Array) -> int:
        """The index of a weight."""
        key = (array.tobytes(), array.shape)
        if key not in self._places:
            self._places[key] = len(self.arrays)
            self.arrays.append(array)
            self.names.append(name)
        return self._places[key]

    def write(self, folder: Path) -> None:
        """Leaves the bytes of all, and a list of where each lies."""
        blob, entries = bytearray(), []
        for name, array in zip(self.names, self.arrays, strict=True):
            blob += bytes(-len(blob) % ALIGN)
            entries.append(TableWeight(name, str(array.dtype), tuple(array.shape), len(blob), array.nbytes))
            blob += array.tobytes()
        (folder / WEIGHTS).write_bytes(blob)
        save_weight_list(folder, entries)


def packed_weights(graph: Graph, operator: Operator, dot: Dot) -> Array:
    """Weights as the machine's dot products read them.

    Returns:
        int8[kernel_h, kernel_w, ceil(I / inputs), outputs, inputs], outputs filled up with zeros to a multiple of the
        step's; for a depthwise convolution int8[kernel_h, kernel_w, O].
    """
    tensor = graph.tensors[operator.inputs[1]]
    values = np.frombuffer(tensor.data or b"", np.int8).reshape(tensor.shape)
    if isinstance(operator.options, DepthwiseConv2d):
        return np.ascontiguousarray(values[0])
    if isinstance(operator.options, FullyConnected):
        values = values[:, None, None, :]
    outputs, height, width, depth = values.shape
    filled = np.pad(values, ((0, -outputs % dot.outputs), (0, 0), (0, 0), (0, -depth % dot.inputs)))
    split = filled.reshape(filled.shape[0], height, width, -1, dot.inputs)
    return np.ascontiguousarray(split.transpose(1, 2, 3, 0, 4))
