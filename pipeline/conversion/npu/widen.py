# SPDX-License-Identifier: Apache-2.0
"""INT4 weights as INT8 ones: the same codes and scales. Vela 5.2 dies of INT4."""

from __future__ import annotations

from typing import Any

import numpy as np

from dimmer.errors import DimmerError
from dimmer.pipeline.oracle.tflite import pack, unpack


def widened(content: bytes) -> bytes:
    """A `.tflite` without weights of 4 bits; the same bytes where it has none.

    Raises:
        DimmerError: it has tensors of 2 bits, which Vela does not know.
    """
    from ai_edge_litert import schema_py_generated as schema

    kinds: Any = schema.TensorType
    model = unpack(content)
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]
    if any(tensor.type == getattr(kinds, "INT2", -1) for tensor in tensors):
        raise DimmerError("it has tensors of 2 bits, which Vela does not know: convert the mode with weights of 4 or 8")
    narrow = [tensor for tensor in tensors if tensor.type == kinds.INT4]
    if not narrow:
        return content
    for tensor in narrow:
        data = model.buffers[tensor.buffer].data
        if data is None:
            raise DimmerError("a tensor of 4 bits is computed, which no NPU does: convert the mode with 8 bits")
        buffer = schema.BufferT()
        buffer.data = nibbles(np.asarray(data, np.uint8), int(np.prod(tensor.shape))).view(np.uint8)
        model.buffers.append(buffer)
        tensor.buffer, tensor.type = len(model.buffers) - 1, kinds.INT8
    return pack(model)


def nibbles(data: np.ndarray[Any, Any], count: int) -> np.ndarray[Any, Any]:
    """Codes of 4 bits, two a byte and the low half first, as int8[count].

    Example:
        >>> nibbles(np.array([0xF1, 0x08], np.uint8), 3).tolist()
        [1, -1, -8]
    """
    codes = np.stack([data & 15, data >> 4], axis=-1).reshape(-1)[:count].astype(np.int8)
    return np.where(codes > 7, codes - 16, codes).astype(np.int8)
