# SPDX-License-Identifier: Apache-2.0
"""Blocks of 4 and 2 bits in a finished .tflite: the operators and constants that no converter makes.

The quantiser sees such a block as 8-bit convolutions. Here it gets what the network was trained with: the grid of its
width at the activations that are rounded to it, a QUANTIZE that rounds the residual stream where a block's entry is
such a one, and INT4 weights that are slices of the int8 codes of the other modes. The file stays an ordinary one, which
the stock interpreter runs.
"""

from __future__ import annotations

from typing import Any

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.exported import Narrow, NarrowLayer
from dimmer.pipeline.oracle.tflite import pack, unpack

CONV_VERSION_INT4 = 7
QUANTIZE_VERSION_INT8 = 2
_ZERO_POINT = -128


def narrowed(content: bytes, narrow: Narrow) -> bytes:
    """Turns the narrow blocks of a converted mode into what the device runs.

    Args:
        content: an int8 .tflite whose tensors are named after the network's sites.

    Raises:
        DimmerError: a tensor is missing, or a layer has another shape than in the file.
    """
    from dimmer.pipeline.networks.layers.quantisers import activation_step

    file = _File(content)
    for site, tensor in narrow.tensors.items():
        step = activation_step(tensor.bits)
        if tensor.rounds is None:
            file.set_grid(file.tensor(site), step)
            continue
        stream = file.tensor(tensor.rounds)
        entry = file.new_tensor(site, file.tensors[stream], step)
        for reader, layer in narrow.layers.items():
            if layer.reads == site:
                file.redirect(file.writer(file.tensor(reader)), stream, entry)
        file.insert_quantize(stream, entry)
    for site, layer in narrow.layers.items():
        file.set_constants(site, layer)
    file.empty_unused_buffers()
    return pack(file.model)


class _File:
    """A parsed .tflite under the knife."""

    def __init__(self, content: bytes) -> None:
        from ai_edge_litert import schema_py_generated as schema

        self.schema: Any = schema
        self.model = unpack(content)
        self.graph = self.model.subgraphs[0]
        self.tensors = self.graph.tensors
        self.names = {tensor.name.decode(): i for i, tensor in enumerate(self.tensors)}

    def tensor(self, name: str) -> int:
        if name not in self.names:
            raise DimmerError(f"the converted file has no tensor {name}; convert it again")
        return self.names[name]

    def writer(self, tensor: int) -> Any:
        return next(o for o in self.graph.operators if tensor in [int(t) for t in o.outputs])

    def set_grid(self, tensor: int, step: float) -> None:
        import numpy as np

        q = self.schema.QuantizationParametersT()
        q.scale, q.zeroPoint = np.array([step], np.float32), np.array([_ZERO_POINT], np.int64)
        self.tensors[tensor].quantization = q

    def new_tensor(self, name: str, like: Any, step: float) -> int:
        made = self.schema.TensorT()
        made.name, made.type, made.shape = name.encode(), like.type, like.shape
        made.shapeSignature, made.hasRank, made.buffer = like.shapeSignature, like.hasRank, 0
        self.tensors.append(made)
        self.names[name] = len(self.tensors) - 1
        self.set_grid(self.names[name], step)
        return self.names[name]

    def redirect(self, operator: Any, old: int, new: int) -> None:
        """Makes a convolution read `new` instead of `old`, through the PAD before it if there is one."""
        source = int(operator.inputs[0])
        if source == old:
            operator.inputs = [new, *map(int, operator.inputs[1:])]
            return
        pad = self.writer(source)
        if int(pad.inputs[0]) not in (old, new):
            raise DimmerError(
                f"{self.tensors[source].name.decode()} is not made of the block's input; report this as a bug"
            )
        pad.inputs = [new, *map(int, pad.inputs[1:])]
        self.tensors[source].quantization = self.tensors[new].quantization
        self.tensors[source].name = self.tensors[new].name + b"/pad"

    def insert_quantize(self, source: int, made: int) -> None:
        """Puts the operator before the first that reads what it makes."""
        operator = self.schema.OperatorT()
        operator.opcodeIndex = self.code(self.schema.BuiltinOperator.QUANTIZE, QUANTIZE_VERSION_INT8)
        operator.inputs, operator.outputs = [source], [made]
        operator.builtinOptionsType = self.schema.BuiltinOptions.QuantizeOptions
        operator.builtinOptions = self.schema.QuantizeOptionsT()
        operators = self.graph.operators
        first = next(i for i, o in enumerate(operators) if made in [int(t) for t in o.inputs])
        operators.insert(first, operator)

    def code(self, builtin: int, version: int) -> int:
        for i, known in enumerate(self.model.operatorCodes):
            if known.builtinCode == builtin and known.version == version:
                return i
        made = self.schema.OperatorCodeT()
        made.builtinCode, made.version = builtin, version
        made.deprecatedBuiltinCode = min(builtin, 127)
        self.model.operatorCodes.append(made)
        return len(self.model.operatorCodes) - 1

    def set_constants(self, site: str, layer: NarrowLayer) -> None:
        """INT4 weights, their scales, and the bias on the grid of input times weight."""
        import numpy as np

        operator = self.writer(self.tensor(site))
        operator.opcodeIndex = self.code(self.schema.BuiltinOperator.CONV_2D, CONV_VERSION_INT4)
        source, weights, bias = (self.tensors[int(t)] for t in operator.inputs)
        if tuple(weights.shape) != layer.codes.shape:
            raise DimmerError(f"{site}: weights are {tuple(weights.shape)} in the file, {layer.codes.shape} exported")
        scale = layer.scale.astype(np.float32)
        weights.type = self.schema.TensorType.INT4
        weights.buffer = self.new_buffer(packed_int4(layer.codes))
        weights.quantization = self._per_channel(scale)
        step = float(source.quantization.scale[0]) * scale.astype(np.float64)
        codes = np.clip(np.rint(layer.bias / step), -(2**31) + 1, 2**31 - 1).astype("<i4")
        bias.buffer = self.new_buffer(codes.view(np.uint8))
        bias.quantization = self._per_channel(step.astype(np.float32))

    def empty_unused_buffers(self) -> None:
        """Drops the constants that were replaced; buffers keep their numbers."""
        used = {tensor.buffer for graph in self.model.subgraphs for tensor in graph.tensors}
        used |= {entry.buffer for entry in self.model.metadata or []}
        for number, buffer in enumerate(self.model.buffers):
            if number not in used:
                buffer.data = None

    def _per_channel(self, scale: Any) -> Any:
        import numpy as np

        q = self.schema.QuantizationParametersT()
        q.scale, q.zeroPoint, q.quantizedDimension = scale, np.zeros(len(scale), np.int64), 0
        return q

    def new_buffer(self, data: Any) -> int:
        buffer = self.schema.BufferT()
        buffer.data = data
        self.model.buffers.append(buffer)
        return len(self.model.buffers) - 1


def packed_int4(codes: Any) -> Any:
    """uint8[ceil(n/2)]: two codes a byte, the first in the low nibble.

    Examples:
        >>> import numpy as np
        >>> packed_int4(np.array([1, -1, 7], np.int8)).tolist() == [0xF1, 0x07]
        True
    """
    import numpy as np

    flat = codes.reshape(-1).astype(np.int8).view(np.uint8) & 15
    if flat.size % 2:
        flat = np.append(flat, np.uint8(0))
    return flat[0::2] | (flat[1::2] << 4)
