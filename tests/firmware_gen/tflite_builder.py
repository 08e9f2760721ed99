# SPDX-License-Identifier: Apache-2.0
"""Builds small `.tflite` files operator by operator, through the schema's object API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

OPTIONS = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "ADD": "AddOptions",
    "SUB": "SubOptions",
    "MUL": "MulOptions",
    "PAD": "PadOptions",
    "PADV2": "PadV2Options",
    "MEAN": "ReducerOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "RESHAPE": "ReshapeOptions",
    "SOFTMAX": "SoftmaxOptions",
    "QUANTIZE": "QuantizeOptions",
    "DEQUANTIZE": "DequantizeOptions",
    "CONCATENATION": "ConcatenationOptions",
    "TRANSPOSE": "TransposeOptions",
    "STRIDED_SLICE": "StridedSliceOptions",
    "PACK": "PackOptions",
    "SHAPE": "ShapeOptions",
    "EXPAND_DIMS": "ExpandDimsOptions",
    "SQUEEZE": "SqueezeOptions",
    "SLICE": "SliceOptions",
    "SPLIT": "SplitOptions",
    "SPLIT_V": "SplitVOptions",
    "UNPACK": "UnpackOptions",
    "GATHER": "GatherOptions",
    "REVERSE_V2": "ReverseV2Options",
    "TILE": "TileOptions",
    "BROADCAST_TO": "BroadcastToOptions",
    "MIRROR_PAD": "MirrorPadOptions",
    "SPACE_TO_DEPTH": "SpaceToDepthOptions",
    "DEPTH_TO_SPACE": "DepthToSpaceOptions",
    "SPACE_TO_BATCH_ND": "SpaceToBatchNDOptions",
    "BATCH_TO_SPACE_ND": "BatchToSpaceNDOptions",
    "SUM": "ReducerOptions",
    "REDUCE_MAX": "ReducerOptions",
    "REDUCE_MIN": "ReducerOptions",
    "L2_NORMALIZATION": "L2NormOptions",
    "BATCH_MATMUL": "BatchMatMulOptions",
    "TRANSPOSE_CONV": "TransposeConvOptions",
    "VAR_HANDLE": "VarHandleOptions",
    "READ_VARIABLE": "ReadVariableOptions",
    "ASSIGN_VARIABLE": "AssignVariableOptions",
    "CALL_ONCE": "CallOnceOptions",
    "LEAKY_RELU": "LeakyReluOptions",
    "GELU": "GeluOptions",
    "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighborOptions",
    "RESIZE_BILINEAR": "ResizeBilinearOptions",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTMOptions",
    "SVDF": "SVDFOptions",
    "ARG_MAX": "ArgMaxOptions",
    "ARG_MIN": "ArgMinOptions",
    "CAST": "CastOptions",
    "DIV": "DivOptions",
    "FLOOR_DIV": "FloorDivOptions",
    "SELECT": "SelectOptions",
    "SELECT_V2": "SelectV2Options",
}
VERSIONS = {"BROADCAST_TO": 2, "TRANSPOSE_CONV": 4, "SVDF": 3, "CAST": 4, "FLOOR_DIV": 3, "DIV": 2, "SUM": 2}
VERSIONS |= dict.fromkeys(("EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL"), 2)
"""Where the first one has no int8."""
TYPES = {
    "int8": np.int8,
    "uint8": np.uint8,
    "int16": np.int16,
    "int32": np.int32,
    "float32": np.float32,
    "int64": np.int64,
    "bool": np.uint8,
}

Array = np.ndarray[Any, np.dtype[Any]]


class TfliteBuilder:
    """One subgraph in the making; tensors are known by their indexes."""

    def __init__(self) -> None:
        self.tensors: list[Any] = []
        self.operators: list[Any] = []
        self.codes: list[Any] = []
        self.buffers: list[Any] = [schema.BufferT()]

    def shape(self, tensor: int) -> tuple[int, ...]:
        return tuple(self.tensors[tensor].shape)

    def tensor(
        self,
        name: str,
        shape: Sequence[int],
        dtype: str = "int8",
        scale: float | Sequence[float] | None = None,
        zero_point: int = 0,
        axis: int = 0,
        data: Array | None = None,
    ) -> int:
        """Adds a tensor and gives its index; `data` makes it a constant."""
        tensor = schema.TensorT()
        tensor.name = name
        tensor.shape = [int(size) for size in shape]
        tensor.type = getattr(schema.TensorType, dtype.upper())
        tensor.buffer = 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data, dtype=TYPES[dtype]).tobytes(), dtype=np.uint8)
            tensor.buffer = len(self.buffers)
            self.buffers.append(buffer)
        if scale is not None:
            scales = [scale] if isinstance(scale, int | float) else list(scale)
            quantisation = schema.QuantizationParametersT()
            quantisation.scale = [float(np.float32(value)) for value in scales]
            quantisation.zeroPoint = [zero_point] * len(scales)
            quantisation.quantizedDimension = axis
            tensor.quantization = quantisation
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def state(self, name: str, shape: Sequence[int], dtype: str, scale: float, zero_point: int = 0) -> int:
        """A variable tensor, which an operator keeps for its next run."""
        index = self.tensor(name, shape, dtype, scale, zero_point)
        self.tensors[index].isVariable = True
        return index

    def constant(self, name: str, values: Sequence[Any] | Array | int, dtype: str = "int32") -> int:
        """A parameter without quantisation, such as axes or paddings."""
        array = np.asarray(values, dtype=TYPES[dtype])
        return self.tensor(name, array.shape, dtype, data=array)

    def operator(self, kind: str, inputs: Sequence[int], output: int | Sequence[int], **options: Any) -> int:
        """Adds an operator and gives its (first) output."""
        outputs = [output] if isinstance(output, int) else list(output)
        code = getattr(schema.BuiltinOperator, kind)
        index = next((index for index, known in enumerate(self.codes) if known.builtinCode == code), len(self.codes))
        if index == len(self.codes):
            entry = schema.OperatorCodeT()
            entry.builtinCode = code
            entry.deprecatedBuiltinCode = min(code, 127)
            entry.version = VERSIONS.get(kind, 1)
            self.codes.append(entry)
        operator = schema.OperatorT()
        operator.opcodeIndex = index
        operator.inputs = list(inputs)
        operator.outputs = outputs
        if kind in OPTIONS:
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, OPTIONS[kind])
            operator.builtinOptions = getattr(schema, OPTIONS[kind] + "T")()
            for name, value in options.items():
                assert hasattr(operator.builtinOptions, name), name
                setattr(operator.builtinOptions, name, value)
        self.operators.append(operator)
        return outputs[0] if outputs else -1

    def model(self, inputs: Sequence[int], outputs: Sequence[int]) -> Any:
        """The whole file as an object, to be changed at will before `pack`."""
        graph = schema.SubGraphT()
        graph.tensors = self.tensors
        graph.operators = self.operators
        graph.inputs = list(inputs)
        graph.outputs = list(outputs)
        model = schema.ModelT()
        model.version = 3
        model.operatorCodes = self.codes
        model.subgraphs = [graph]
        model.buffers = self.buffers
        return model

    def variable(self, name: str) -> int:
        """A VAR_HANDLE, and its output."""
        return self.operator("VAR_HANDLE", [], self.tensor(f"{name}_handle", [], "resource"), sharedName=name)

    def stateful(self, inputs: Sequence[int], outputs: Sequence[int], initial: dict[str, Array]) -> Any:
        """A model whose first operator sets its variables, once, by a second subgraph."""
        model = self.model(inputs, outputs)
        first = TfliteBuilder()
        first.buffers, first.codes = self.buffers, self.codes
        for name, values in initial.items():
            value = first.tensor(f"{name}_initial", values.shape, "int8", 1.0, 0, 0, values)
            first.operator("ASSIGN_VARIABLE", [first.variable(name), value], [])
        graph = schema.SubGraphT()
        graph.tensors, graph.operators, graph.inputs, graph.outputs = first.tensors, first.operators, [], []
        model.subgraphs = [model.subgraphs[0], graph]
        self.operator("CALL_ONCE", [], [], initSubgraphIndex=1)
        self.operators.insert(0, self.operators.pop())
        return model

    def build(self, source: int, output: int) -> bytes:
        """The file's bytes."""
        return pack(self.model([source], [output]))


def pack(model: Any) -> bytes:
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


class Layers(TfliteBuilder):
    """Layers with seeded random weights and scales that spread the values over the codes."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = np.random.default_rng(seed)
        self.count = 0

    def name(self, kind: str) -> str:
        self.count += 1
        return f"{kind}_{self.count}"

    def scale_of(self, tensor: int) -> float:
        return float(self.tensors[tensor].quantization.scale[0])

    def zero_point_of(self, tensor: int) -> int:
        return int(self.tensors[tensor].quantization.zeroPoint[0])

    def activation(
        self, shape: Sequence[int], scale: float | None = None, zero_point: int | None = None, name: str = "x"
    ) -> int:
        """An int8 activation; random scale and zero point where none are given."""
        if scale is None:
            scale = float(self.random.uniform(0.01, 0.2))
        if zero_point is None:
            zero_point = int(self.random.integers(-128, 128))
        return self.tensor(name, shape, "int8", scale, zero_point)

    def weights(self, shape: Sequence[int], axis: int, *, per_channel: bool = True) -> int:
        """Random int8 weights."""
        values = self.random.integers(-127, 128, size=tuple(shape))
        scale = self.random.uniform(0.002, 0.02, size=shape[axis] if per_channel else 1).tolist()
        return self.tensor(self.name("weights"), shape, "int8", scale, 0, axis, values)

    def bias(self, channels: int) -> int:
        values = self.random.integers(-5000, 5000, size=channels)
        return self.tensor(self.name("bias"), [channels], "int32", [1e-4] * channels, 0, 0, values)

    def output_of(self, shape: Sequence[int], fan_in: int, source: int, weights: int, name: str | None = None) -> int:
        """An activation whose scale fits a sum of `fan_in` products."""
        mean = float(np.mean(self.tensors[weights].quantization.scale)) * 73 * self.scale_of(source) * 74
        scale = mean * max(fan_in, 1) ** 0.5 / float(self.random.uniform(30, 90))
        return self.activation(shape, scale, name=name or self.name("y"))

    def conv(
        self,
        x: int,
        channels: int,
        kernel: tuple[int, int] = (3, 3),
        stride: tuple[int, int] = (1, 1),
        dilation: tuple[int, int] = (1, 1),
        padding: str = "SAME",
        activation: str = "NONE",
        bias: bool = True,
        per_channel: bool = True,
        output: int | None = None,
    ) -> int:
        height, width, depth = self.shape(x)[1:]
        out = [
            convolved(n, k, s, d, padding) for n, k, s, d in zip((height, width), kernel, stride, dilation, strict=True)
        ]
        weights = self.weights([channels, *kernel, depth], 0, per_channel=per_channel)
        inputs = [x, weights, *([self.bias(channels)] if bias else [])]
        if output is None:
            output = self.output_of([1, *out, channels], kernel[0] * kernel[1] * depth, x, weights)
        return self.operator("CONV_2D", inputs, output, **window_options(stride, dilation, padding, activation))

    def depthwise(
        self,
        x: int,
        multiplier: int = 1,
        kernel: tuple[int, int] = (3, 3),
        stride: tuple[int, int] = (1, 1),
        dilation: tuple[int, int] = (1, 1),
        padding: str = "SAME",
        activation: str = "NONE",
        bias: bool = True,
    ) -> int:
        height, width, depth = self.shape(x)[1:]
        out = [
            convolved(n, k, s, d, padding) for n, k, s, d in zip((height, width), kernel, stride, dilation, strict=True)
        ]
        weights = self.weights([1, *kernel, depth * multiplier], 3)
        inputs = [x, weights, *([self.bias(depth * multiplier)] if bias else [])]
        output = self.output_of([1, *out, depth * multiplier], kernel[0] * kernel[1], x, weights)
        options = window_options(stride, dilation, padding, activation)
        return self.operator("DEPTHWISE_CONV_2D", inputs, output, depthMultiplier=multiplier, **options)

    def dense(
        self, x: int, channels: int, activation: str = "NONE", bias: bool = True, per_channel: bool = False
    ) -> int:
        depth = int(np.prod(self.shape(x)))
        weights = self.weights([channels, depth], 0, per_channel=per_channel)
        inputs = [x, weights, *([self.bias(channels)] if bias else [])]
        output = self.output_of([1, channels], depth, x, weights)
        return self.operator("FULLY_CONNECTED", inputs, output, fusedActivationFunction=activation_code(activation))

    def elementwise(self, kind: str, a: int, b: int, activation: str = "NONE", output: int | None = None) -> int:
        if output is None:
            shape = np.broadcast_shapes(self.shape(a), self.shape(b))
            scale = self.scale_of(a) * self.scale_of(b) * 60 if kind == "MUL" else self.scale_of(a) + self.scale_of(b)
            output = self.activation(shape, scale * float(self.random.uniform(0.5, 1.2)), name=self.name("y"))
        return self.operator(kind, [a, b], output, fusedActivationFunction=activation_code(activation))

    def same(self, kind: str, x: int, shape: Sequence[int], inputs: Sequence[int] = (), **options: Any) -> int:
        """An operator that keeps scale and zero point."""
        output = self.activation(shape, self.scale_of(x), self.zero_point_of(x), self.name("y"))
        return self.operator(kind, [x, *inputs], output, **options)

    def pool(
        self, kind: str, x: int, size: tuple[int, int], stride: tuple[int, int], padding: str, activation: str
    ) -> int:
        height, width, depth = self.shape(x)[1:]
        out = [convolved(n, k, s, 1, padding) for n, k, s in zip((height, width), size, stride, strict=True)]
        return self.same(
            kind,
            x,
            [1, *out, depth],
            filterHeight=size[0],
            filterWidth=size[1],
            strideH=stride[0],
            strideW=stride[1],
            padding=padding_code(padding),
            fusedActivationFunction=activation_code(activation),
        )

    def pad(self, x: int, paddings: Sequence[tuple[int, int]]) -> int:
        shape = [size + sum(pad) for size, pad in zip(self.shape(x), paddings, strict=True)]
        return self.same("PAD", x, shape, [self.constant(self.name("paddings"), paddings)])

    def reshape(self, x: int, shape: Sequence[int]) -> int:
        return self.same("RESHAPE", x, shape, [self.constant(self.name("shape"), shape)], newShape=list(shape))

    def softmax(self, x: int) -> int:
        output = self.activation(self.shape(x), 1 / 256, -128, self.name("y"))
        return self.operator("SOFTMAX", [x], output, beta=1.0)

    def residual(self, x: int, activation: str = "NONE") -> int:
        """X + conv(conv(x)) with the scale and zero point of x."""
        channels = self.shape(x)[3]
        y = self.conv(self.conv(x, channels, activation="RELU"), channels)
        output = self.activation(self.shape(x), self.scale_of(x), self.zero_point_of(x), self.name("block"))
        return self.elementwise("ADD", x, y, activation, output)


def convolved(size: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    """Output size of a sliding window."""
    return -(-size // stride) if padding == "SAME" else (size - (kernel - 1) * dilation - 1) // stride + 1


def activation_code(name: str) -> int:
    return int(getattr(schema.ActivationFunctionType, name))


def padding_code(name: str) -> int:
    return int(getattr(schema.Padding, name))


def window_options(stride: tuple[int, int], dilation: tuple[int, int], padding: str, activation: str) -> dict[str, int]:
    return {
        "strideH": stride[0],
        "strideW": stride[1],
        "dilationHFactor": dilation[0],
        "dilationWFactor": dilation[1],
        "padding": padding_code(padding),
        "fusedActivationFunction": activation_code(activation),
    }
