# SPDX-License-Identifier: Apache-2.0
"""A mode as ONNX with its scales: QuantizeLinear and DequantizeLinear around float operators, as TensorRT reads it.

Float32 NHWC in, float32 out. Weights are integers behind a DequantizeLinear, so the codes are the `.tflite`'s own; what
a runtime computes between the two is its own matter, and need not equal TFLite bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dimmer.errors import DimmerError
from dimmer.firmware_gen.graph.types import (
    Activation,
    Add,
    AveragePool2d,
    Conv2d,
    DepthwiseConv2d,
    FullyConnected,
    Graph,
    MaxPool2d,
    Mean,
    Mul,
    Operator,
    Pad,
    Quantisation,
    Quantize,
    Relu,
    Reshape,
    Sub,
    Tensor,
    Transpose,
    Window,
)

OPSET = 17
NCHW = (0, 3, 1, 2)
_LIMITS = {
    Activation.RELU: (0.0, None),
    Activation.RELU6: (0.0, 6.0),
    Activation.RELU_N1_TO_1: (-1.0, 1.0),
}


def write_qdq(graph: Graph, path: Path) -> None:
    """Writes the graph as ONNX.

    Raises:
        DimmerError: an operator has no counterpart here.
    """
    import onnx
    from onnx import TensorProto, helper

    maker = _Maker(graph)
    for operator in graph.operators:
        maker.operator(operator)
    source, result = graph.tensors[graph.input], graph.tensors[graph.output]
    model = helper.make_model(
        helper.make_graph(
            maker.nodes,
            path.stem,
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, source.shape)],
            [helper.make_tensor_value_info(maker.real[graph.output], TensorProto.FLOAT, result.shape)],
            maker.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="dimmer",
    )
    model.ir_version = 8  # what TensorRT 8 and onnxruntime of that time read
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


class _Maker:
    """Collects nodes; every activation tensor is NHWC float32 behind its DequantizeLinear.

    Attributes:
        real: tensor index -> name of its float value.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.real: dict[int, str] = {}
        self.real[graph.input] = self.quantised("image", graph.input)

    def node(self, kind: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, name: str, values: npt.NDArray[Any] | np.generic) -> str:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.asarray(values, order="C"), name))
        return name

    def quantised(self, value: str, index: int) -> str:
        """A value rounded to a tensor's codes and back."""
        tensor = self.graph.tensors[index]
        scale, zero = self.scales(f"t{index}", tensor.q)
        codes = self.node("QuantizeLinear", (value, scale, zero), f"t{index}.codes")
        return self.node("DequantizeLinear", (codes, scale, zero), f"t{index}")

    def scales(self, name: str, q: Quantisation) -> tuple[str, str]:
        return (
            self.constant(f"{name}.scale", np.float32(q.scale)),
            self.constant(f"{name}.zero_point", np.int8(q.zero_point)),
        )

    def value(self, operator: Operator, place: int) -> str:
        """Input `place`, a constant one where it is."""
        index = operator.inputs[place]
        if index not in self.real:
            tensor = self.graph.tensors[index]
            if tensor.data is None:
                raise self.no_counterpart(operator)
            codes = self.constant(f"t{index}.constant", np.frombuffer(tensor.data, np.int8).reshape(tensor.shape))
            self.real[index] = self.node("DequantizeLinear", (codes, *self.scales(f"t{index}", tensor.q)), f"t{index}")
        return self.real[index]

    def no_counterpart(self, operator: Operator) -> DimmerError:
        return DimmerError(
            f"{self.graph.where(operator)} has no ONNX counterpart with scales; build for another target"
        )

    def operator(self, operator: Operator) -> None:
        name = f"op{operator.index}"
        output = self.graph.tensors[operator.output]
        match operator.options:
            case Conv2d() | DepthwiseConv2d():
                made = self.convolution(operator, name)
            case FullyConnected():
                made = self.fully_connected(operator, name)
            case Add() | Sub() | Mul():
                kind = type(operator.options).__name__
                made = self.node(kind, (self.value(operator, 0), self.value(operator, 1)), name)
            case Mean():
                axes = list(operator.options.axes)
                made = self.node("ReduceMean", (self.value(operator, 0),), f"{name}.mean", axes=axes, keepdims=0)
                made = self.reshaped(made, output.shape, name)
            case AveragePool2d() | MaxPool2d():
                made = self.pool(operator, name)
            case Pad():
                pads = self.constant(
                    f"{name}.pads", np.array((*operator.options.before, *operator.options.after), np.int64)
                )
                q = self.graph.tensors[operator.inputs[0]].q
                fill = self.constant(f"{name}.fill", np.float32(q.scale * (operator.options.value - q.zero_point)))
                made = self.node("Pad", (self.value(operator, 0), pads, fill), name)
            case Reshape():
                made = self.reshaped(self.value(operator, 0), output.shape, name)
            case Transpose():
                order = list(operator.options.permutation)
                made = self.node("Transpose", (self.value(operator, 0),), name, perm=order)
            case Quantize() | Relu():
                made = self.value(operator, 0)
            case _:
                raise self.no_counterpart(operator)
        self.real[operator.output] = self.quantised(self.clipped(made, operator, name), operator.output)

    def clipped(self, value: str, operator: Operator, name: str) -> str:
        limits = _LIMITS.get(getattr(operator.options, "activation", Activation.NONE))
        if limits is None:
            return value
        low, high = limits
        if high is None:
            return self.node("Relu", (value,), f"{name}.relu")
        ends = [self.constant(f"{name}.{end}", np.float32(limit)) for end, limit in (("low", low), ("high", high))]
        return self.node("Clip", (value, *ends), f"{name}.clip")

    def reshaped(self, value: str, shape: Sequence[int], name: str) -> str:
        return self.node("Reshape", (value, self.constant(f"{name}.shape", np.array(shape, np.int64))), name)

    def weights(self, operator: Operator, name: str, order: tuple[int, ...], axis: int) -> str:
        """Weights behind a DequantizeLinear, one scale a channel where there are several."""
        tensor = self.graph.tensors[operator.inputs[1]]
        values = np.frombuffer(self.data(operator, tensor), np.int8).reshape(tensor.shape).transpose(order)
        codes = self.constant(f"{name}.weights", values)
        many = tensor.q.per_channel
        scales = np.array(tensor.q.scales if many else tensor.q.scales[0], np.float32)
        scale = self.constant(f"{name}.weights.scale", scales)
        zero = self.constant(f"{name}.weights.zero_point", np.zeros(scales.shape, np.int8))
        attributes = {"axis": axis} if many else {}
        return self.node("DequantizeLinear", (codes, scale, zero), f"{name}.weights.real", **attributes)

    def bias(self, operator: Operator, name: str) -> list[str]:
        if len(operator.inputs) < 3:
            return []
        source, weights, bias = (self.graph.tensors[index] for index in operator.inputs)
        scales = np.float32(source.q.scale) * np.array(weights.q.scales, np.float32)
        codes = np.frombuffer(self.data(operator, bias), "<i4")
        return [self.constant(f"{name}.bias", (codes * scales.astype(np.float64)).astype(np.float32))]

    def data(self, operator: Operator, tensor: Tensor) -> bytes:
        if tensor.data is None:
            raise self.no_counterpart(operator)
        return tensor.data

    def convolution(self, operator: Operator, name: str) -> str:
        options = operator.options
        assert isinstance(options, Conv2d | DepthwiseConv2d)
        depthwise = isinstance(options, DepthwiseConv2d)
        # OHWI, or 1HWO, becomes OIHW.
        weights = self.weights(operator, name, (3, 0, 1, 2) if depthwise else NCHW, 0)
        group = self.graph.tensors[operator.inputs[0]].shape[3] if depthwise else 1
        image = self.node("Transpose", (self.value(operator, 0),), f"{name}.nchw", perm=list(NCHW))
        made = self.node(
            "Conv",
            (image, weights, *self.bias(operator, name)),
            f"{name}.conv",
            group=group,
            dilations=[options.window.dilation_h, options.window.dilation_w],
            **_sliding(options.window),
        )
        return self.node("Transpose", (made,), name, perm=[0, 2, 3, 1])

    def fully_connected(self, operator: Operator, name: str) -> str:
        weights = self.weights(operator, name, (1, 0), 1)
        depth = self.graph.tensors[operator.inputs[1]].shape[1]
        flat = self.reshaped(self.value(operator, 0), (-1, depth), f"{name}.rows")
        made = self.node("MatMul", (flat, weights), f"{name}.matmul")
        for bias in self.bias(operator, name):
            made = self.node("Add", (made, bias), f"{name}.add")
        return self.reshaped(made, self.graph.tensors[operator.output].shape, name)

    def pool(self, operator: Operator, name: str) -> str:
        options = operator.options
        assert isinstance(options, AveragePool2d | MaxPool2d)
        kind = "AveragePool" if isinstance(options, AveragePool2d) else "MaxPool"
        image = self.node("Transpose", (self.value(operator, 0),), f"{name}.nchw", perm=list(NCHW))
        made = self.node(kind, (image,), f"{name}.pool", **_sliding(options.window))
        return self.node("Transpose", (made,), name, perm=[0, 2, 3, 1])


def _sliding(window: Window) -> dict[str, list[int]]:
    p = window.padding
    return {
        "kernel_shape": [window.kernel_h, window.kernel_w],
        "strides": [window.stride_h, window.stride_w],
        "pads": [p.top, p.left, p.bottom, p.right],
    }
