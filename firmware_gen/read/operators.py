"""Raw operator records -> typed operators: options, constant parameters, and the shape that each output must have."""

from __future__ import annotations

import math
from collections.abc import Callable

from ai_edge_litert import schema_py_generated as schema

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph.types import (
    Activation,
    Add,
    AveragePool2d,
    Concatenation,
    Conv2d,
    DepthwiseConv2d,
    Dequantize,
    DType,
    FullyConnected,
    Logistic,
    MaxPool2d,
    Mean,
    Mul,
    Operator,
    Options,
    Pad,
    Padding,
    Quantize,
    Relu,
    Reshape,
    Softmax,
    Sub,
    Tensor,
    Transpose,
    Window,
)
from dimmer.firmware_gen.read.flatbuffer import RawOperator, Value

_ADVICE = {
    "HARD_SWISH": "train with RELU6",
    "LEAKY_RELU": "train with RELU6",
    "PRELU": "train with RELU6",
    "ELU": "train with RELU6",
    "GELU": "train with RELU6",
    "TANH": "use LOGISTIC or a clamp (RELU6)",
    "DIV": "multiply by a constant folded into the weights",
    "SUM": "use MEAN and fold the factor into the next layer's weights",
    "REDUCE_MAX": "use MAX_POOL_2D",
    "BATCH_MATMUL": "use FULLY_CONNECTED with constant weights",
    "RESIZE_BILINEAR": "resize before the network",
    "RESIZE_NEAREST_NEIGHBOR": "resize before the network",
    "MIRROR_PAD": "use PAD",
    "STRIDED_SLICE": "only shapes can be computed with it; export with a fixed batch of 1",
    "SHAPE": "only shapes can be computed with it; export with a fixed batch of 1",
    "PACK": "only shapes can be computed with it; export with a fixed batch of 1",
    "SQUEEZE": "use RESHAPE",
    "EXPAND_DIMS": "use RESHAPE",
    "CUSTOM": "convert with built-in operators only",
    "LSTM": "use a convolutional network",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "use a convolutional network",
    "TRANSPOSE_CONV": "use RESHAPE and CONV_2D",
}
_MAX_STRIDE = 0xFF


class OperatorReader:
    """Reads the operators of one file.

    Attributes:
        source: what error messages call the file.
        tensor: gives a checked tensor by its index in the file.
    """

    def __init__(self, source: str, tensor: Callable[[int], Tensor]) -> None:
        self.source = source
        self.tensor = tensor
        self._index = 0
        self._record = RawOperator("", {}, (), ())
        self._readers: dict[str, Callable[[], tuple[Options, tuple[int, ...]]]] = {
            "CONV_2D": self._conv,
            "DEPTHWISE_CONV_2D": self._depthwise,
            "FULLY_CONNECTED": self._fully_connected,
            "ADD": lambda: self._elementwise(Add(self._activation())),
            "SUB": lambda: self._elementwise(Sub(self._activation())),
            "MUL": lambda: self._elementwise(Mul(self._activation())),
            "PAD": self._pad,
            "PADV2": self._pad,
            "MEAN": self._mean,
            "AVERAGE_POOL_2D": lambda: self._pool(AveragePool2d),
            "MAX_POOL_2D": lambda: self._pool(MaxPool2d),
            "RESHAPE": self._reshape,
            "SOFTMAX": self._softmax,
            "LOGISTIC": self._logistic,
            "RELU": lambda: self._unary(Relu(Activation.RELU)),
            "RELU6": lambda: self._unary(Relu(Activation.RELU6)),
            "RELU_N1_TO_1": lambda: self._unary(Relu(Activation.RELU_N1_TO_1)),
            "QUANTIZE": self._quantize,
            "DEQUANTIZE": self._dequantize,
            "CONCATENATION": self._concatenation,
            "TRANSPOSE": self._transpose,
        }

    def read(self, index: int, record: RawOperator) -> Operator:
        """Reads one operator.

        Raises:
            FirmwareGenError: the runtime cannot run it, or the file contradicts itself.
        """
        self._index, self._record = index, record
        if record.kind not in self._readers:
            advice = _ADVICE.get(
                record.kind,
                "build that part of the network of convolutions, pools, ADD, MUL, RELU6 and FULLY_CONNECTED",
            )
            raise self.error(f"is not supported; {advice}")
        if len(record.outputs) != 1:
            raise self.error(f"has {len(record.outputs)} outputs, expected 1; convert the model again")
        options, inputs = self._readers[record.kind]()
        return Operator(index, record.kind, options, inputs, record.outputs[0])

    def error(self, message: str) -> FirmwareGenError:
        """An error about the operator that is being read."""
        output = ""
        if len(self._record.outputs) == 1:
            try:
                output = f" ({self.tensor(self._record.outputs[0]).name})"
            except FirmwareGenError:
                output = f" (tensor {self._record.outputs[0]})"
        return FirmwareGenError(f"{self.source}: operator {self._index} {self._record.kind}{output} {message}")

    # What an operator's tensors must be like.

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
            if tensor.dtype is not DType.INT8:
                raise self.error(
                    f"works on {tensor.name}, which is {tensor.dtype.value}; quantise the network to "
                    "int8, weights and activations alike"
                )
            if tensor.quantisation is None:
                raise self.error(
                    f"works on {tensor.name}, which has no scale and zero point; quantise the network to int8"
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

    # Options.

    def _number(self, field: str) -> Value:
        if field not in self._record.options:
            raise self.error("has no options; convert the model again")
        return self._record.options[field]

    def _int(self, field: str, low: int, high: int) -> int:
        value = self._number(field)
        if isinstance(value, tuple) or not low <= value <= high:
            raise self.error(f"has {field} = {value}, expected {low} to {high}; convert the model again")
        return int(value)

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

    # Operators.

    def _weights(self, weights: int, rank: int, channel_axis: int, bias: int | None) -> Tensor:
        self._int8(weights)
        tensor = self.tensor(weights)
        if not tensor.constant:
            raise self.error(f"has weights {tensor.name} that are computed; only constant weights can lie in flash")
        if len(tensor.shape) != rank:
            raise self.error(
                f"has weights {tensor.name} of shape {list(tensor.shape)}, expected {rank} "
                "dimensions; convert the model again"
            )
        if any(tensor.q.zero_points):
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
            if not values.constant or values.dtype is not DType.INT32 or values.elements != channels:
                raise self.error(
                    f"has the bias {values.name}: {values.dtype.value}{list(values.shape)}, expected "
                    f"{channels} constant int32 values; convert the model again"
                )
        return tensor

    def _conv(self) -> tuple[Options, tuple[int, ...]]:
        inputs = self._inputs(2, 3)
        self._activations(inputs[0], self._record.outputs[0])
        height, width, channels = self._image(inputs[0])
        weights = self._weights(inputs[1], 4, 0, inputs[2] if len(inputs) == 3 else None)
        out_channels, kernel_h, kernel_w, in_channels = weights.shape
        if in_channels != channels:
            raise self.error(
                f"has weights for {in_channels} input channels, its input has {channels}; grouped "
                "convolutions are not supported, use DEPTHWISE_CONV_2D and 1x1 CONV_2D"
            )
        window, out_h, out_w = self._window((height, width), (kernel_h, kernel_w), dilated=True)
        self._shape((1, out_h, out_w, out_channels))
        return Conv2d(window, self._activation()), inputs

    def _depthwise(self) -> tuple[Options, tuple[int, ...]]:
        inputs = self._inputs(2, 3)
        self._activations(inputs[0], self._record.outputs[0])
        height, width, channels = self._image(inputs[0])
        weights = self._weights(inputs[1], 4, 3, inputs[2] if len(inputs) == 3 else None)
        one, kernel_h, kernel_w, out_channels = weights.shape
        multiplier = self._int("DepthMultiplier", 1, 0xFFFF)
        if one != 1 or channels * multiplier != out_channels:
            raise self.error(
                f"has weights {list(weights.shape)} for {channels} channels and multiplier "
                f"{multiplier}; convert the model again"
            )
        window, out_h, out_w = self._window((height, width), (kernel_h, kernel_w), dilated=True)
        self._shape((1, out_h, out_w, out_channels))
        return DepthwiseConv2d(window, multiplier, self._activation()), inputs

    def _fully_connected(self) -> tuple[Options, tuple[int, ...]]:
        inputs = self._inputs(2, 3)
        self._activations(inputs[0], self._record.outputs[0])
        weights = self._weights(inputs[1], 2, 0, inputs[2] if len(inputs) == 3 else None)
        self._int("WeightsFormat", 0, 0)
        source = self.tensor(inputs[0])
        channels, depth = weights.shape
        if source.elements % depth:
            raise self.error(
                f"has weights {list(weights.shape)} for an input {list(source.shape)}, which is not made of rows of "
                f"{depth}; convert the model again"
            )
        keep = bool(self._number("KeepNumDims"))
        if keep and source.shape[-1:] != (depth,):
            raise self.error(
                f"keeps the dimensions of {list(source.shape)}, whose last one its weights {list(weights.shape)} do "
                "not fit; convert the model again"
            )
        self._shape((*source.shape[:-1], channels) if keep else (source.elements // depth, channels))
        return FullyConnected(self._activation()), inputs

    def _elementwise(self, options: Options) -> tuple[Options, tuple[int, ...]]:
        inputs = self._inputs(2, 2)
        self._activations(self._record.outputs[0])
        for index in inputs:
            self._int8(index)
            if self.tensor(index).q.per_channel:
                raise self.error(
                    f"works on {self.tensor(index).name}, which is quantised per channel; quantise "
                    "activations per tensor"
                )
        if all(self.tensor(index).constant for index in inputs):
            raise self.error("has two constant inputs; fold constants before the conversion")
        shapes = [self.tensor(index).shape for index in inputs]
        rank = max(len(shape) for shape in shapes)
        padded = [(1,) * (rank - len(shape)) + shape for shape in shapes]
        if any(a != b and 1 not in (a, b) for a, b in zip(*padded, strict=True)):
            raise self.error(
                f"has inputs {list(shapes[0])} and {list(shapes[1])}, which do not broadcast; convert the model again"
            )
        self._shape(tuple(max(a, b) for a, b in zip(*padded, strict=True)))
        return options, inputs

    def _pad(self) -> tuple[Options, tuple[int, ...]]:
        inputs = self._inputs(2, 2) if self._record.kind == "PAD" else self._inputs(3, 3)
        self._activations(inputs[0], self._record.outputs[0])
        self._same_quantisation(inputs[0])
        source = self.tensor(inputs[0])
        amounts = self._parameter(inputs[1], "paddings")
        if len(amounts) != 2 * len(source.shape) or any(not 0 <= amount <= 0xFFFF for amount in amounts):
            raise self.error(
                f"has the paddings {list(amounts)[:16]} for an input {list(source.shape)}; convert the model again"
            )
        value = self._output.q.zero_point
        if len(inputs) == 3:
            fill = self.tensor(inputs[2])
            if fill.data is None or fill.dtype is not DType.INT8 or fill.elements != 1 or fill.quantisation is None:
                raise self.error(f"pads with {fill.name}, which is not one constant int8 value; use PAD")
            self._same_quantisation(inputs[2])
            value = int.from_bytes(fill.data, "little", signed=True)
        before, after = amounts[0::2], amounts[1::2]
        self._shape(tuple(a + size + b for a, size, b in zip(before, source.shape, after, strict=True)))
        return Pad(before, after, value), inputs[:1]

    def _mean(self) -> tuple[Options, tuple[int, ...]]:
        inputs = self._inputs(2, 2)
        self._activations(inputs[0], self._record.outputs[0])
        shape = self.tensor(inputs[0]).shape
        given = self._parameter(inputs[1], "axes")
        if any(not -len(shape) <= axis < len(shape) for axis in given):
            raise self.error(f"has the axes {list(given)[:8]} for an input {list(shape)}; convert the model again")
        axes = tuple(sorted({axis % len(shape) for axis in given}))
        keep = bool(self._record.options.get("KeepDims", False))
        kept = tuple(1 if axis in axes else size for axis, size in enumerate(shape) if keep or axis not in axes)
        self._shape(kept)
        return Mean(axes), inputs[:1]

    def _pool(self, options: type[AveragePool2d] | type[MaxPool2d]) -> tuple[Options, tuple[int, ...]]:
        inputs = self._inputs(1, 1)
        self._activations(inputs[0], self._record.outputs[0])
        self._same_quantisation(inputs[0])
        height, width, channels = self._image(inputs[0])
        kernel = (self._int("FilterHeight", 1, 0xFFFF), self._int("FilterWidth", 1, 0xFFFF))
        window, out_h, out_w = self._window((height, width), kernel, dilated=False)
        self._shape((1, out_h, out_w, channels))
        return options(window, self._activation()), inputs

    def _reshape(self) -> tuple[Options, tuple[int, ...]]:
        inputs = self._inputs(1, 2)
        self._activations(inputs[0], self._record.outputs[0])
        self._same_quantisation(inputs[0])
        source, output = self.tensor(inputs[0]), self._output
        if source.elements != output.elements:
            raise self.error(
                f"makes {list(output.shape)} of {list(source.shape)}, which has another number of "
                "elements; convert the model again"
            )
        if len(inputs) == 2:
            wanted = self._parameter(inputs[1], "shape")
        else:
            value = self._record.options.get("NewShape", ())
            wanted = value if isinstance(value, tuple) else ()
        if wanted and (
            len(wanted) != len(output.shape)
            or sum(a != b for a, b in zip(wanted, output.shape, strict=True)) > wanted.count(-1)
        ):
            raise self.error(
                f"makes {list(wanted)[:8]} by its parameter, {list(output.shape)} by its output; "
                "convert the model again"
            )
        return Reshape(), inputs[:1]

    def _fixed_output(self) -> None:
        q = self._output.q
        if q.zero_point != -128 or q.scale != 1.0 / 256.0:
            raise self.error(
                f"must have an output of scale 1/256 and zero point -128, {self._output.name} has "
                f"{q.scale:g} and {q.zero_point}; quantise again"
            )

    def _softmax(self) -> tuple[Options, tuple[int, ...]]:
        inputs = self._inputs(1, 1)
        self._activations(inputs[0], self._record.outputs[0])
        self._shape(self.tensor(inputs[0]).shape)
        self._fixed_output()
        beta = self._number("Beta")
        if isinstance(beta, tuple) or not (math.isfinite(beta) and 0 < beta < 1e6):
            raise self.error(f"has beta = {beta}, expected a positive number; convert the model again")
        return Softmax(float(beta)), inputs

    def _logistic(self) -> tuple[Options, tuple[int, ...]]:
        self._fixed_output_of_unary()
        return self._unary(Logistic())

    def _fixed_output_of_unary(self) -> None:
        self._activations(self._record.outputs[0])
        self._fixed_output()

    def _unary(self, options: Options) -> tuple[Options, tuple[int, ...]]:
        inputs = self._inputs(1, 1)
        self._activations(inputs[0], self._record.outputs[0])
        self._shape(self.tensor(inputs[0]).shape)
        return options, inputs

    def _conversion(
        self, options: Options, allowed: tuple[tuple[DType, DType], ...], advice: str
    ) -> tuple[Options, tuple[int, ...]]:
        inputs = self._inputs(1, 1)
        source, output = self.tensor(inputs[0]), self._output
        self._shape(source.shape)
        if (source.dtype, output.dtype) not in allowed or source.constant:
            raise self.error(f"turns {source.dtype.value} {source.name} into {output.dtype.value}; {advice}")
        for tensor in (source, output):
            if tensor.dtype is not DType.FLOAT32 and (tensor.quantisation is None or tensor.q.per_channel):
                raise self.error(
                    f"works on {tensor.name}, which has no scale and zero point of its own; quantise "
                    "the network to int8"
                )
        return options, inputs

    def _quantize(self) -> tuple[Options, tuple[int, ...]]:
        allowed = tuple(
            (a, b)
            for a in (DType.FLOAT32, DType.UINT8, DType.INT8)
            for b in (DType.INT8, DType.UINT8)
            if (a, b) != (DType.UINT8, DType.UINT8)
        )
        return self._conversion(Quantize(), allowed, "quantise float32, uint8 or int8 activations to int8")

    def _dequantize(self) -> tuple[Options, tuple[int, ...]]:
        allowed = ((DType.INT8, DType.FLOAT32), (DType.UINT8, DType.FLOAT32))
        return self._conversion(Dequantize(), allowed, "only int8 and uint8 activations can be dequantised")

    def _concatenation(self) -> tuple[Options, tuple[int, ...]]:
        inputs = self._inputs(1, 64)
        self._activations(*inputs, self._record.outputs[0])
        self._same_quantisation(*inputs)
        if self._activation() is not Activation.NONE:
            raise self.error("has a fused activation, which TFLite does not run; use an operator of its own")
        shapes = [self.tensor(index).shape for index in inputs]
        rank = len(shapes[0])
        axis = self._int("Axis", -rank, rank - 1) % rank if rank else 0
        if not rank or any(
            len(shape) != rank or shape[:axis] + shape[axis + 1 :] != shapes[0][:axis] + shapes[0][axis + 1 :]
            for shape in shapes
        ):
            raise self.error(
                f"joins {', '.join(str(list(shape)) for shape in shapes[:8])} along dimension "
                f"{axis}, which do not fit; convert the model again"
            )
        self._shape((*shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :]))
        return Concatenation(axis), inputs

    def _transpose(self) -> tuple[Options, tuple[int, ...]]:
        inputs = self._inputs(2, 2)
        self._activations(inputs[0], self._record.outputs[0])
        self._same_quantisation(inputs[0])
        shape = self.tensor(inputs[0]).shape
        permutation = self._parameter(inputs[1], "permutation")
        if sorted(permutation) != list(range(len(shape))):
            raise self.error(
                f"has the permutation {list(permutation)[:8]} for an input {list(shape)}; convert the model again"
            )
        self._shape(tuple(shape[axis] for axis in permutation))
        return Transpose(permutation), inputs[:1]
