# SPDX-License-Identifier: Apache-2.0
"""One operator's record, with what every kind of operator has to check."""

from __future__ import annotations

import math
from collections.abc import Callable

from ai_edge_litert import schema_py_generated as schema

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph.types import Activation, DType, Padding, Tensor, Window
from dimmer.firmware_gen.read.flatbuffer import RawOperator, Value
from dimmer.firmware_gen.read.unsigned import OFFSET, UNSIGNED

_MAX_STRIDE = 0xFF
WIDE = {
    *("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SUB", "MUL", "AVERAGE_POOL_2D", "MAX_POOL_2D"),
    *("MEAN", "LOGISTIC", "TANH", "SOFTMAX", "RELU", "RELU6", "QUANTIZE", "DEQUANTIZE", "PAD"),
    *("RESHAPE", "EXPAND_DIMS", "SQUEEZE", "CONCATENATION", "PACK", "TRANSPOSE", "STRIDED_SLICE", "SLICE", "SPLIT"),
    *("SPLIT_V", "UNPACK", "GATHER", "MIRROR_PAD", "SPACE_TO_DEPTH", "DEPTH_TO_SPACE", "RESIZE_NEAREST_NEIGHBOR"),
}
"""Operators that have kernels for activations of 16 bits, whose zero point is 0."""
_INSTEAD = {
    DType.FLOAT32: "quantise the network to int8, or end the file before that operator, at an int8 tensor, and compute "
    "the rest in your program",
    DType.INT16: "of 16 bits that operator is not supported, convert with supported_ops = [TFLITE_BUILTINS_INT8]",
}
"""What to do about a type."""
PLAIN = {DType.FLOAT32, DType.INT32, DType.INT64, DType.BOOL}
"""Types without scale and zero point."""


class RecordReader:
    """The record that is being read, and checks that readers of several kinds share."""

    def __init__(self, source: str, tensor: Callable[[int], Tensor], variables: frozenset[int] = frozenset()) -> None:
        self.source = source
        self.tensor = tensor
        self.variables = variables
        self._index = 0
        self._record = RawOperator("", {}, (), ())

    def error(self, message: str) -> FirmwareGenError:
        """An error about the operator that is being read."""
        output = ""
        if len(self._record.outputs) == 1:
            try:
                output = f" ({self.tensor(self._record.outputs[0]).name})"
            except FirmwareGenError:
                output = f" (tensor {self._record.outputs[0]})"
        return FirmwareGenError(f"{self.source}: operator {self._index} {self._record.kind}{output} {message}")

    def _inputs(self, least: int, most: int) -> tuple[int, ...]:
        inputs = self._record.inputs
        while len(inputs) > least and inputs[-1] == -1:
            inputs = inputs[:-1]
        if not least <= len(inputs) <= most:
            raise self.error(
                f"has {len(inputs)} inputs, expected "
                f"{least if least == most else f'{least} to {most}'}; convert the model again"
            )
        return inputs

    @property
    def _output(self) -> Tensor:
        return self.tensor(self._record.outputs[0])

    def _int8(self, *indexes: int) -> None:
        for index in indexes:
            tensor = self.tensor(index)
            if tensor.dtype is DType.INT16 and self._record.kind in WIDE:
                self._wide(tensor)
            elif tensor.dtype is not DType.INT8:
                raise self.error(
                    f"works on {tensor.name}, which is {tensor.dtype.value}; "
                    f"{_INSTEAD.get(tensor.dtype, 'quantise the network to int8, weights and activations alike')}"
                )
            if tensor.quantisation is None:
                raise self.error(
                    f"works on {tensor.name}, which has no scale and zero point; quantise the network to int8"
                )

    def _wide(self, tensor: Tensor) -> None:
        """Checks an activation of 16 bits, that it goes with others of 16 bits."""
        if tensor.quantisation is None or any(tensor.q.zero_points):
            raise self.error(
                f"works on {tensor.name}, which is int16 and must have a scale and the zero point 0; convert again"
            )
        if self._record.kind in ("QUANTIZE", "DEQUANTIZE"):
            return
        further = [] if self._record.kind in (*OFFSET, "PAD") else list(self._record.inputs[1:])
        for other in (self.tensor(index) for index in (self._record.inputs[0], *further, *self._record.outputs)):
            if other.dtype in (DType.INT8, DType.UINT8):
                raise self.error(
                    f"mixes int16 {tensor.name} and {other.dtype.value} {other.name}; put QUANTIZE between them"
                )

    def _activations(self, *indexes: int) -> None:
        self._int8(*indexes)
        for index in indexes:
            if self.tensor(index).constant:
                raise self.error(
                    f"takes the constant {self.tensor(index).name} where an activation is expected; "
                    "fold constants before the conversion"
                )
            if self.tensor(index).q.per_channel:
                raise self.error(
                    f"works on {self.tensor(index).name}, which is quantised per channel; quantise "
                    "activations per tensor"
                )

    def _plain(self, *indexes: int) -> bool:
        """Whether tensors are computed and of one type without codes: float32 before QUANTIZE and behind DEQUANTIZE,
        what ARG_MAX, comparisons and CAST give.
        """
        tensors = [self.tensor(index) for index in indexes]
        dtypes = {tensor.dtype for tensor in tensors}
        return len(dtypes) == 1 and dtypes <= PLAIN and not any(tensor.constant for tensor in tensors)

    def _same_quantisation(self, *indexes: int) -> None:
        output = self._output
        for index in indexes:
            tensor = self.tensor(index)
            if (tensor.q.scale, tensor.q.zero_point) != (output.q.scale, output.q.zero_point):
                raise self.error(
                    f"must not rescale, but {tensor.name} and {output.name} have different scales or "
                    "zero points; give both the same calibration range"
                )

    def _shape(self, expected: tuple[int, ...], *, squeezed: bool = False) -> None:
        actual = self._output.shape
        if any(size <= 0 for size in expected):
            raise self.error(
                f"would have an empty output {list(expected)}; its window is larger than its "
                "input, use a larger input or SAME padding"
            )
        if actual != expected and not (squeezed and math.prod(actual) == math.prod(expected)):
            raise self.error(
                f"should have the output shape {list(expected)}, the file says {list(actual)}; convert the model again"
            )

    def _image(self, index: int) -> tuple[int, int, int]:
        shape = self.tensor(index).shape
        if len(shape) != 4 or shape[0] != 1:
            raise self.error(
                f"needs an input [1,height,width,channels], got {list(shape)}; export with batch 1 and 2-D layers"
            )
        return shape[1], shape[2], shape[3]

    def _parameter(self, index: int, what: str) -> tuple[int, ...]:
        tensor = self.tensor(index)
        if tensor.data is None or tensor.dtype is not DType.INT32 or tensor.elements > 64:
            raise self.error(f"needs constant int32 {what}, {tensor.name} is not; export with fixed shapes")
        return tuple(
            int.from_bytes(tensor.data[at : at + 4], "little", signed=True) for at in range(0, len(tensor.data), 4)
        )

    def _number(self, field: str) -> Value:
        if field not in self._record.options:
            raise self.error("has no options; convert the model again")
        return self._record.options[field]

    def _int(self, field: str, low: int, high: int) -> int:
        value = self._number(field)
        if isinstance(value, tuple | str) or not low <= value <= high:
            raise self.error(f"has {field} = {value}, expected {low} to {high}; convert the model again")
        return int(value)

    @property
    def _unsigned(self) -> bool:
        """Whether the file's activations are uint8."""
        return bool(self._record.options.get(UNSIGNED, False))

    def _activation(self) -> Activation:
        code = self._record.options.get("FusedActivationFunction", 0)
        for activation in Activation:
            if getattr(schema.ActivationFunctionType, activation.value) == code:
                return activation
        raise self.error(f"has the fused activation {code}, which is not supported; use RELU or RELU6")

    def _window(self, size: tuple[int, int], kernel: tuple[int, int], *, dilated: bool) -> tuple[Window, int, int]:
        """The window, and the height and width of its output."""
        stride = (self._int("StrideH", 1, _MAX_STRIDE), self._int("StrideW", 1, _MAX_STRIDE))
        dilation = (
            (self._int("DilationHFactor", 1, _MAX_STRIDE), self._int("DilationWFactor", 1, _MAX_STRIDE))
            if dilated
            else (1, 1)
        )
        same = self._int("Padding", 0, 1) == schema.Padding.SAME
        before, after, out = [], [], []
        for axis in range(2):
            extent = (kernel[axis] - 1) * dilation[axis] + 1
            if same:
                out.append(-(-size[axis] // stride[axis]))
                total = max((out[axis] - 1) * stride[axis] + extent - size[axis], 0)
            else:
                out.append((size[axis] - extent) // stride[axis] + 1)
                total = 0
            before.append(total // 2)
            after.append(total - total // 2)
        padding = Padding(before[0], after[0], before[1], after[1])
        return Window(kernel[0], kernel[1], stride[0], stride[1], dilation[0], dilation[1], padding), out[0], out[1]

    def _weights(self, weights: int, rank: int, channel_axis: int, bias: int | None) -> Tensor:
        self._int8(weights)
        tensor = self.tensor(weights)
        if tensor.dtype is not DType.INT8:
            raise self.error(f"has weights {tensor.name} of 16 bits; only int8 and int4 weights are supported")
        if not tensor.constant:
            raise self.error(f"has weights {tensor.name} that are computed; only constant weights can lie in flash")
        if len(tensor.shape) != rank:
            raise self.error(
                f"has weights {tensor.name} of shape {list(tensor.shape)}, expected {rank} "
                "dimensions; convert the model again"
            )
        if self._unsigned and tensor.q.per_channel:
            raise self.error(f"has uint8 weights {tensor.name} quantised per channel; quantise the network to int8")
        if any(tensor.q.zero_points) and not (self._unsigned and self._record.kind in OFFSET):
            raise self.error(
                f"has weights {tensor.name} with a zero point other than 0; quantise weights symmetrically"
            )
        if tensor.q.per_channel and tensor.q.axis != channel_axis:
            raise self.error(
                f"has weights {tensor.name} quantised along dimension {tensor.q.axis}, expected "
                f"{channel_axis}; convert the model again"
            )
        if bias is not None:
            values = self.tensor(bias)
            channels = tensor.shape[channel_axis]
            wanted = DType.INT64 if self._output.dtype is DType.INT16 else DType.INT32
            if not values.constant or values.dtype is not wanted or values.elements != channels:
                raise self.error(
                    f"has the bias {values.name}: {values.dtype.value}{list(values.shape)}, expected "
                    f"{channels} constant {wanted.value} values; convert the model again"
                )
        return tensor

    def _fixed_output(self, tolerance: float = 0.0) -> None:
        """Args: tolerance: of the scale, relative."""
        q = self._output.q
        steps, zero_point = (1 << 15, 0) if self._output.dtype is DType.INT16 else (256, -128)
        if q.zero_point != zero_point or abs(q.scale * steps - 1) > tolerance:
            raise self.error(
                f"must have an output of scale 1/{steps} and zero point {zero_point}, {self._output.name} has "
                f"{q.scale:g} and {q.zero_point}; quantise again"
            )
