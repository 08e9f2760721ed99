# SPDX-License-Identifier: Apache-2.0
"""Small float networks, as the files that people have of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.firmware_gen.tflite_builder import TfliteBuilder, pack

CLASSES = 3
SIZE = 6


def samples(count: int = 40, seed: int = 0) -> tuple[Any, Any]:
    """float32[N,6,6,1] with a bright band of two rows that says the class, and int64[N]."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % CLASSES
    images = random.normal(0, 0.1, (count, SIZE, SIZE, 1)).astype(np.float32)
    for one in range(CLASSES):
        images[labels == one, 2 * one : 2 * one + 2] += 1
    return images, labels.astype(np.int64)


def _float(builder: TfliteBuilder, name: str, shape: list[int]) -> int:
    return builder.tensor(name, shape, "float32")


def float_model() -> Any:
    """A convolution, pooling of two rows, and the sums of these rows as classes: right on all `samples`."""
    net = TfliteBuilder()
    x = _float(net, "image", [1, SIZE, SIZE, 1])
    kernel = np.zeros((2, 3, 3, 1), np.float32)
    kernel[0, 1, 1], kernel[1, 1, 1] = 1.0, -1.0
    weights = net.tensor("kernel", kernel.shape, "float32", data=kernel)
    bias = net.tensor("bias", [2], "float32", data=np.array([0.0, 0.5], np.float32))
    y = _float(net, "conv", [1, SIZE, SIZE, 2])
    net.operator(
        "CONV_2D", [x, weights, bias], y, strideH=1, strideW=1, padding=schema.Padding.SAME, fusedActivationFunction=1
    )
    pooled = _float(net, "pool", [1, 3, 3, 2])
    net.operator("MAX_POOL_2D", [y], pooled, strideH=2, strideW=2, filterHeight=2, filterWidth=2)
    flat = _float(net, "flat", [1, 18])
    net.operator("RESHAPE", [pooled, net.constant("shape", [1, 18])], flat)
    rows = np.zeros((CLASSES, 3, 3, 2), np.float32)
    for one in range(CLASSES):
        rows[one, one, :, 0] = 1.0
    dense = net.tensor("dense", [CLASSES, 18], "float32", data=rows.reshape(CLASSES, 18))
    logits = _float(net, "logits", [1, CLASSES])
    net.operator("FULLY_CONNECTED", [flat, dense, -1], logits)
    chances = _float(net, "chances", [1, CLASSES])
    net.operator("SOFTMAX", [logits], chances, beta=1.0)
    return net.model([x], [chances])


def float_tflite() -> bytes:
    return pack(float_model())


def hybrid_tflite() -> bytes:
    """The same with the kernel in int8, one scale a channel, and the last weights in half precision."""
    model = float_model()
    graph = model.subgraphs[0]
    kernel = next(tensor for tensor in graph.tensors if tensor.name == "kernel")
    values = np.asarray(model.buffers[kernel.buffer].data).view(np.float32).reshape(2, -1)
    scales = np.abs(values).max(1) / 127
    model.buffers[kernel.buffer].data = np.rint(values / scales[:, None]).astype(np.int8).reshape(-1).view(np.uint8)
    kernel.type, kernel.quantization = schema.TensorType.INT8, schema.QuantizationParametersT()
    kernel.quantization.scale, kernel.quantization.zeroPoint = scales.tolist(), [0, 0]
    kernel.quantization.quantizedDimension = 0
    dense = next(tensor for tensor in graph.tensors if tensor.name == "dense")
    half = np.asarray(model.buffers[dense.buffer].data).view(np.float32).astype(np.float16)
    model.buffers[dense.buffer].data = half.reshape(-1).view(np.uint8)
    dense.type = schema.TensorType.FLOAT16
    wide = schema.TensorT()
    wide.name, wide.shape, wide.type, wide.buffer = "dense32", dense.shape, schema.TensorType.FLOAT32, 0
    graph.tensors.append(wide)
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    code.version = 3
    model.operatorCodes.append(code)
    widen = schema.OperatorT()
    widen.opcodeIndex, widen.inputs = len(model.operatorCodes) - 1, [graph.tensors.index(dense)]
    widen.outputs = [len(graph.tensors) - 1]
    for operator in graph.operators:
        operator.inputs = [widen.outputs[0] if i == widen.inputs[0] else i for i in operator.inputs]
    graph.operators.insert(0, widen)
    return pack(model)


def written(folder: Path, content: bytes, name: str = "net.tflite") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def external_onnx(folder: Path) -> Path:
    """net.onnx with its weights in net.onnx.data, as torch.onnx.export leaves both: y = x w."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weights = numpy_helper.from_array(np.eye(SIZE, CLASSES, dtype=np.float32), "w")
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size])
        for name, size in (("x", SIZE), ("y", CLASSES))
    ]
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "net", ends[:1], ends[1:], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path = folder / "net.onnx"
    onnx.save(model, path, save_as_external_data=True, location="net.onnx.data", size_threshold=0)
    return path
