# SPDX-License-Identifier: Apache-2.0
"""A .tflite file of one operator, and what the reference interpreter makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

_TYPES = {"int8": 9, "uint8": 3, "int32": 2, "float32": 0}


@dataclass(frozen=True)
class OneTensor:
    """A tensor of the graph; with `data` it is a constant."""

    shape: tuple[int, ...]
    dtype: str = "int8"
    scale: float | Sequence[float] | None = None
    zero_point: int = 0
    channel_axis: int = 0
    data: np.ndarray | None = None


def one_op(
    code: str, options_kind: str | None, options: dict[str, object], inputs: Sequence[OneTensor], output: OneTensor
) -> bytes:
    """The file; inputs without data are the graph's inputs, in their order."""
    model = schema.ModelT()
    model.version = 3
    graph = schema.SubGraphT()
    model.subgraphs = [graph]
    model.buffers = [schema.BufferT()]
    graph.tensors = []
    for number, tensor in enumerate((*inputs, output)):
        made = schema.TensorT()
        made.name = f"tensor_{number}".encode()
        made.shape = list(tensor.shape)
        made.type = _TYPES[tensor.dtype]
        made.buffer = 0
        if tensor.data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(tensor.data).tobytes(), dtype=np.uint8)
            made.buffer = len(model.buffers)
            model.buffers.append(buffer)
        if tensor.scale is not None:
            scales = np.atleast_1d(np.asarray(tensor.scale, dtype=np.float32))
            quantization = schema.QuantizationParametersT()
            quantization.scale = scales
            quantization.zeroPoint = np.full(scales.size, tensor.zero_point, dtype=np.int64)
            quantization.quantizedDimension = tensor.channel_axis
            made.quantization = quantization
        graph.tensors.append(made)
    builtin = getattr(schema.BuiltinOperator, code)
    operator_code = schema.OperatorCodeT()
    operator_code.deprecatedBuiltinCode = min(builtin, 127)
    operator_code.builtinCode = builtin
    # RELU_N1_TO_1 has no second version; the others' second is the first with int8.
    operator_code.version = 1 if code == "RELU_N1_TO_1" else 2
    model.operatorCodes = [operator_code]
    operator = schema.OperatorT()
    operator.inputs = list(range(len(inputs)))
    operator.outputs = [len(inputs)]
    if options_kind is not None:
        made_options = getattr(schema, f"{options_kind}T")()
        for name, value in options.items():
            setattr(made_options, name, value)
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, options_kind)
        operator.builtinOptions = made_options
    graph.operators = [operator]
    graph.inputs = [number for number, tensor in enumerate(inputs) if tensor.data is None]
    graph.outputs = [len(inputs)]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def reference(file: bytes, *values: np.ndarray) -> np.ndarray:
    """The result of the interpreter with its reference kernels."""
    interpreter = Interpreter(model_content=file, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    for detail, value in zip(interpreter.get_input_details(), values, strict=True):
        interpreter.set_tensor(detail["index"], value)
    interpreter.invoke()
    return np.asarray(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
