# SPDX-License-Identifier: Apache-2.0
"""A float `.tflite` as the quantiser takes it: constants of 8 and 16 bits become float32, every name occurs once."""

from __future__ import annotations

from typing import Any

import numpy as np

from dimmer.errors import DimmerError
from dimmer.pipeline.oracle.tflite import pack, unpack


def plain(content: bytes, source: str) -> bytes:
    """The same network with float32 weights alone.

    Hybrid files hold int8 weights, others of half precision; either becomes float32, and what turned it into float32
    goes.

    Args:
        source: what error messages call the file.

    Raises:
        DimmerError: it is no `.tflite`, or its activations are not float32.
    """
    from ai_edge_litert import schema_py_generated as schema

    try:
        model = unpack(content)
        graph = model.subgraphs[0]
        codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    # Of a damaged file the schema raises whatever comes to it.
    except Exception as error:
        raise DimmerError(f"{source}: is damaged or no .tflite file; fetch or convert it again") from error
    if len(model.subgraphs) > 1:
        raise DimmerError(
            f"{source}: has {len(model.subgraphs)} subgraphs; files with state or several signatures are quantised by "
            "TensorFlow's converter, with a representative_dataset"
        )
    written = {int(index) for operator in graph.operators for index in operator.outputs}
    given = written | {int(index) for index in graph.inputs}
    for index, tensor in enumerate(graph.tensors):
        data = model.buffers[tensor.buffer].data
        if index not in given and data is not None and len(data):
            _to_float(tensor, model, data, schema)
    kept, instead = [], {}
    for operator in graph.operators:
        first = int(operator.inputs[0]) if len(operator.inputs) else -1
        if codes[operator.opcodeIndex] == schema.BuiltinOperator.DEQUANTIZE and first not in given:
            instead[int(operator.outputs[0])] = first
        else:
            kept.append(operator)
    for operator in kept:
        operator.inputs = [instead.get(int(index), int(index)) for index in operator.inputs]
        if hasattr(operator.builtinOptions, "asymmetricQuantizeInputs"):
            operator.builtinOptions.asymmetricQuantizeInputs = False
    graph.operators = kept
    _name_once(graph)
    model.signatureDefs, model.metadata, model.metadataBuffer = [], [], None
    return pack(model)


def _to_float(tensor: Any, model: Any, data: Any, schema: Any) -> None:
    """Makes float32 of a constant with scales, or of half precision."""
    raw, shape = np.asarray(data, np.uint8).tobytes(), tuple(int(size) for size in tensor.shape)
    if tensor.type == schema.TensorType.FLOAT16:
        values = np.frombuffer(raw, np.float16).astype(np.float32)
    elif (
        tensor.type == schema.TensorType.INT8 and tensor.quantization is not None and _given(tensor.quantization.scale)
    ):
        scales = np.asarray(tensor.quantization.scale, np.float32)
        zeros = np.asarray(tensor.quantization.zeroPoint, np.float32)
        codes = np.frombuffer(raw, np.int8).astype(np.float32).reshape(shape)
        if len(scales) > 1:
            form = [1] * len(shape)
            form[tensor.quantization.quantizedDimension] = len(scales)
            scales, zeros = scales.reshape(form), zeros.reshape(form)
        values = (codes - zeros) * scales
    else:
        return
    tensor.type, tensor.quantization = schema.TensorType.FLOAT32, None
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
    tensor.buffer = len(model.buffers)
    model.buffers.append(buffer)


def _given(values: Any) -> bool:
    return values is not None and len(values) > 0


def _name_once(graph: Any) -> None:
    seen: set[bytes] = set()
    for index, tensor in enumerate(graph.tensors):
        name = tensor.name if isinstance(tensor.name, bytes) else (tensor.name or "").encode()
        if not name or name in seen:
            name = name + f"/{index}".encode()
        seen.add(name)
        tensor.name = name
