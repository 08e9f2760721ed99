# SPDX-License-Identifier: Apache-2.0
"""Files of int8 made into files of uint8: the same operators with the same random shapes and parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.firmware_gen.tflite_builder import Array, Layers, pack

WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def as_unsigned(net: Layers, source: int, output: int) -> bytes:
    """The file with every int8 tensor as uint8; weights have one scale and, in two of three files, a zero point."""
    model = net.model([source], [output])
    kinds = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    weights, biases = {}, {}
    for operator in net.operators:
        if kinds[net.codes[operator.opcodeIndex].builtinCode] in WEIGHTED:
            weights[operator.inputs[1]] = operator.inputs[0]
            biases.update(dict.fromkeys(operator.inputs[2:], operator.inputs))
    for index, tensor in enumerate(net.tensors):
        if tensor.type == schema.TensorType.INT8:
            _made_unsigned(net, tensor, index in weights)
    for bias, inputs in biases.items():
        scale = net.scale_of(inputs[0]) * net.scale_of(inputs[1])
        net.tensors[bias].quantization.scale = [scale]
        net.tensors[bias].quantization.zeroPoint = [0]
    return pack(model)


def _made_unsigned(net: Layers, tensor: Any, weights: bool) -> None:
    tensor.type = schema.TensorType.UINT8
    quantisation = tensor.quantization
    quantisation.scale = quantisation.scale[:1]
    quantisation.zeroPoint = [int(quantisation.zeroPoint[0]) + 128]
    if weights and net.random.random() < 2 / 3:
        quantisation.zeroPoint = [int(net.random.integers(100, 160))]
    data = net.buffers[tensor.buffer].data
    if tensor.buffer and data is not None:
        codes: Array = np.asarray(data, np.uint8) ^ np.uint8(128)
        net.buffers[tensor.buffer].data = codes
