"""Operators -> steps: the fixed-point parameters, folded biases and shapes that a kernel's record holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph import fixed_point as fp
from dimmer.firmware_gen.graph.ranges import code_range
from dimmer.firmware_gen.graph.slices import sliced
from dimmer.firmware_gen.graph.types import (
    Add,
    AveragePool2d,
    Concatenation,
    Conv2d,
    DepthwiseConv2d,
    Dequantize,
    DType,
    FullyConnected,
    Graph,
    Logistic,
    MaxPool2d,
    Mean,
    Mul,
    Operator,
    Pad,
    Quantize,
    Relu,
    Softmax,
    Sub,
    Tensor,
    Transpose,
    Window,
)
from dimmer.firmware_gen.lower import records as k
from dimmer.firmware_gen.lower.steps import Buffer, Kernel, Params, Scratch, Shifts, Step, Weights, step

ADD_LEFT_SHIFT = 20
SLICE_BYTES = 4096
"""Of scratch that the sliced weights of a group of channels may take; two channels in any case."""
MAX_SLICE_CHANNELS = 254
MAX_RANK = 4


def lower(graph: Graph, operator: Operator, buffer: Callable[[int], int]) -> tuple[Step, ...]:
    """The steps of one operator.

    Args:
        buffer: the buffer id of a tensor.

    Raises:
        FirmwareGenError: an argument is outside the kernel's range.
    """
    try:
        return _Lowering(graph, operator, buffer).steps()
    except fp.RangeError as error:
        raise FirmwareGenError(
            f"{graph.where(operator)}: {error}; quantise again with calibration data that reaches this layer"
        ) from error


class _Lowering:
    def __init__(self, graph: Graph, operator: Operator, buffer: Callable[[int], int]) -> None:
        self.graph = graph
        self.operator = operator
        self.buffer = buffer
        self.output = graph.tensors[operator.output]
        self.inputs = [graph.tensors[index] for index in operator.inputs]
        self.layer = self.output.name

    def error(self, message: str) -> FirmwareGenError:
        return FirmwareGenError(f"{self.graph.where(self.operator)} {message}")

    def at(self, place: int) -> Buffer:
        """The buffer of input `place`."""
        return Buffer(self.buffer(self.operator.inputs[place]))

    @property
    def out(self) -> Buffer:
        return Buffer(self.buffer(self.operator.output))

    def steps(self) -> tuple[Step, ...]:
        match self.operator.options:
            case Conv2d():
                return (self.conv(self.operator.options),)
            case DepthwiseConv2d():
                return (self.depthwise(self.operator.options),)
            case FullyConnected():
                return (self.fully_connected(self.operator.options),)
            case Add() | Sub():
                return (self.sum(self.operator.options),)
            case Mul():
                return (self.mul(self.operator.options),)
            case Pad():
                return (self.pad(self.operator.options),)
            case Mean():
                return (self.mean(self.operator.options),)
            case AveragePool2d() | MaxPool2d():
                return (self.pool(self.operator.options),)
            case Softmax():
                return (self.softmax(self.operator.options),)
            case Logistic():
                return (self.logistic(),)
            case Relu():
                low, high = fp.activation_range(self.operator.options.activation, self.output.q)
                return (self.requantize(fp.ratio_multiplier_float(self.inputs[0].q, self.output.q), low, high),)
            case Quantize():
                return (self.quantize(),)
            case Dequantize():
                return (self.dequantize(),)
            case Concatenation():
                return self.concatenation(self.operator.options)
            case Transpose():
                return (self.transpose(self.operator.options),)
        raise self.error("has no kernel; report this file")

    # Layers with weights.

    def folded_bias(self, weights: np.ndarray[Any, np.dtype[np.int64]], scale: float = 1.0) -> Params:
        """bias - input_zero_point * sum(weights).

        Args:
            weights: int64[channels, inputs].
            scale: what the sum is rescaled by in double; 1 where that is done in fixed point.

        Raises:
            RangeError: a sum may overflow, where the stock interpreter's result is undefined.
        """
        bias = np.zeros(len(weights), dtype=np.int64)
        if len(self.inputs) == 3:
            bias = np.frombuffer(self.inputs[2].data or b"", dtype="<i4").astype(np.int64)
        folded = bias - self.inputs[0].q.zero_point * weights.sum(axis=1)
        largest = int((np.abs(folded) + 128 * np.abs(weights).sum(axis=1)).max())
        if largest * max(scale, 1.0) >= 2**31:
            raise fp.RangeError(f"a sum of up to {largest} may overflow")
        return Params(tuple(folded.tolist()))

    def rescaling(self, weights: np.ndarray[Any, np.dtype[np.int64]]) -> dict[str, Any]:
        """Bias, multipliers and shifts of a convolution; those of a channel that died in training are made such as
        every kernel can do.

        Args:
            weights: int64[channels, inputs].
        """
        pairs = fp.convolution_multipliers(self.inputs[0].q, self.inputs[1].q, self.output.q, len(weights))
        spreads = 128 * np.abs(weights).sum(axis=1)
        channels = list(zip(self.folded_bias(weights).values, *pairs, strict=True))
        for number, (bias, multiplier, shift) in enumerate(channels):
            spread = int(spreads[number])
            if multiplier == 0 or shift < -22 or abs(bias) + spread >= 2**30:
                constant = fp.constant_channel(bias, multiplier, shift, spread)
                channels[number] = constant or channels[number]
        biases, multipliers, shifts = zip(*channels, strict=True)
        return {"bias": Params(biases), "multipliers": Params(multipliers), "shifts": Shifts(shifts)}

    def weights(self) -> tuple[Weights, np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
        """As they lie in the blob, and the values int64[shape] that the kernel computes with."""
        tensor = self.inputs[1]
        data = tensor.data or b""
        codes = sliced(np.frombuffer(data, dtype=np.int8), tensor.weight_bits)
        return Weights(data, tensor.shape), codes.astype(np.int64).reshape(tensor.shape)

    def window(self, window: Window) -> dict[str, Any]:
        return {
            "kernel_h": window.kernel_h,
            "kernel_w": window.kernel_w,
            "stride_h": window.stride_h,
            "stride_w": window.stride_w,
            "dilation_h": window.dilation_h,
            "dilation_w": window.dilation_w,
            "pad_top": window.padding.top,
            "pad_left": window.padding.left,
        }

    def conv(self, options: Conv2d) -> Step:
        source, window = self.inputs[0], options.window
        weights, values = self.weights()
        channels = values.shape[0]
        flat = values.reshape(channels, -1)
        low, high = fp.activation_range(options.activation, self.output.q)
        patch = window.kernel_h * window.kernel_w * source.shape[3]
        if patch > 0xFFFF:
            raise self.error(f"sums over {patch} inputs, more than 65535; split the layer")
        pointwise = (window.kernel_h, window.kernel_w, window.stride_h, window.stride_w) == (1, 1, 1, 1) and not any(
            (window.padding.top, window.padding.bottom, window.padding.left, window.padding.right)
        )
        scratch = 0 if pointwise else 2 * ((patch + 3) // 4 * 4)
        bits, group = self.inputs[1].weight_bits, 0
        if bits != 8:
            group = min(channels, MAX_SLICE_CHANNELS, max(2, SLICE_BYTES // patch // 2 * 2))
            scratch += group * patch
        return step(
            k.CONV_2D,
            self.layer,
            macs=self.output.elements * patch,
            scratch_bytes=scratch,
            input_high=code_range(self.graph, self.operator.inputs[0])[1],
            input=self.at(0),
            output=self.out,
            scratch=Scratch() if scratch else 0,
            weights=weights,
            **self.rescaling(flat),
            batches=1,
            input_h=source.shape[1],
            input_w=source.shape[2],
            input_c=source.shape[3],
            output_h=self.output.shape[1],
            output_w=self.output.shape[2],
            output_c=channels,
            weight_bits=bits,
            slice_channels=group,
            input_zero_point=source.q.zero_point,
            output_zero_point=self.output.q.zero_point,
            activation_min=low,
            activation_max=high,
            **self.window(window),
        )

    def depthwise(self, options: DepthwiseConv2d) -> Step:
        source, window = self.inputs[0], options.window
        weights, values = self.weights()
        flat = values.reshape(-1, values.shape[3]).T
        low, high = fp.activation_range(options.activation, self.output.q)
        return step(
            k.DEPTHWISE_CONV_2D,
            self.layer,
            macs=self.output.elements * window.kernel_h * window.kernel_w,
            input=self.at(0),
            output=self.out,
            weights=weights,
            **self.rescaling(flat),
            batches=1,
            input_h=source.shape[1],
            input_w=source.shape[2],
            input_c=source.shape[3],
            output_h=self.output.shape[1],
            output_w=self.output.shape[2],
            depth_multiplier=options.multiplier,
            input_zero_point=source.q.zero_point,
            output_zero_point=self.output.q.zero_point,
            activation_min=low,
            activation_max=high,
            **self.window(window),
        )

    def fully_connected(self, options: FullyConnected) -> Step:
        source = self.inputs[0]
        weights, values = self.weights()
        channels, depth = values.shape
        per_channel = self.inputs[1].q.per_channel
        scales = fp.fully_connected_scales(source.q, self.inputs[1].q, self.output.q)
        bias = self.folded_bias(values, 2 * max(scales))
        self.check_bias_scale()
        low, high = fp.activation_range(options.activation, self.output.q)
        return step(
            k.FULLY_CONNECTED,
            self.layer,
            macs=source.elements * channels,
            input=self.at(0),
            output=self.out,
            weights=weights,
            bias=bias,
            scales=Params(fp.double_words(scales)),
            rows=source.elements // depth,
            input_c=depth,
            output_c=channels,
            output_zero_point=self.output.q.zero_point,
            activation_min=low,
            activation_max=high,
            per_channel=int(per_channel),
        )

    def check_bias_scale(self) -> None:
        """The stock interpreter refuses a bias whose scale is not about that of the products."""
        if len(self.inputs) < 3 or self.inputs[1].q.per_channel:
            return
        given = self.inputs[2].quantisation
        product = self.inputs[0].q.scale * self.inputs[1].q.scale
        if abs(product - (given.scale if given else 0.0)) / self.output.q.scale > 0.02:
            raise self.error(f"has a bias whose scale is not {product:g}, that of its products; quantise again")

    # Elementwise operators.

    def operand(self, place: int) -> Buffer | Weights:
        tensor = self.inputs[place]
        return self.at(place) if tensor.data is None else Weights(tensor.data, tensor.shape)

    def broadcast(self) -> tuple[tuple[int, ...], int, int]:
        """Output dimensions merged into the fewest and longest runs, and the dimensions that each input repeats."""
        shapes = [(1,) * (len(self.output.shape) - len(tensor.shape)) + tensor.shape for tensor in self.inputs]
        runs: list[tuple[int, bool, bool]] = []
        for size, first, second in zip(self.output.shape, *shapes, strict=True):
            if size == 1:
                continue
            repeats = (first == 1, second == 1)
            if runs and runs[-1][1:] == repeats:
                size *= runs.pop()[0]
            runs.append((size, *repeats))
        if len(runs) > MAX_RANK:
            raise self.error(
                f"broadcasts over {len(runs)} separate dimensions, at most {MAX_RANK} are supported; reshape"
            )
        runs = [(1, False, False)] * (MAX_RANK - len(runs)) + runs
        masks = [sum(1 << axis for axis, run in enumerate(runs) if run[side]) for side in (1, 2)]
        return tuple(run[0] for run in runs), masks[0], masks[1]

    def elementwise_fields(self, options: Add | Sub | Mul) -> dict[str, Any]:
        low, high = fp.activation_range(options.activation, self.output.q)
        dims, broadcast1, broadcast2 = self.broadcast()
        return {
            "input1": self.operand(0),
            "input2": self.operand(1),
            "output": self.out,
            "dims": dims,
            "zero_point1": self.inputs[0].q.zero_point,
            "zero_point2": self.inputs[1].q.zero_point,
            "output_zero_point": self.output.q.zero_point,
            "activation_min": low,
            "activation_max": high,
            "broadcast1": broadcast1,
            "broadcast2": broadcast2,
            "input1_blob": int(self.inputs[0].constant),
            "input2_blob": int(self.inputs[1].constant),
        }

    def overwritable(self) -> tuple[int, ...]:
        """Buffers of the inputs that have the output's size."""
        return tuple(
            dict.fromkeys(
                self.at(place).id
                for place, tensor in enumerate(self.inputs)
                if not tensor.constant and tensor.elements == self.output.elements
            )
        )

    def sum(self, options: Add | Sub) -> Step:
        first, second, output = fp.sum_multipliers(self.inputs[0].q, self.inputs[1].q, self.output.q, ADD_LEFT_SHIFT)
        return step(
            k.ADD if isinstance(options, Add) else k.SUB,
            self.layer,
            in_place=self.overwritable(),
            multiplier1=first[0],
            multiplier2=second[0],
            multiplier_output=output[0],
            shift1=first[1],
            shift2=second[1],
            shift_output=output[1],
            left_shift=ADD_LEFT_SHIFT,
            **self.elementwise_fields(options),
        )

    def mul(self, options: Mul) -> Step:
        multiplier, shift = fp.mul_multiplier(self.inputs[0].q, self.inputs[1].q, self.output.q)
        return step(
            k.MUL,
            self.layer,
            in_place=self.overwritable(),
            multiplier=multiplier,
            shift=shift,
            **self.elementwise_fields(options),
        )

    def requantize(self, multiplier: tuple[int, int], low: int, high: int) -> Step:
        source = self.inputs[0]
        return step(
            k.REQUANTIZE,
            self.layer,
            in_place=self.overwritable(),
            input=self.at(0),
            output=self.out,
            elements=source.elements,
            multiplier=multiplier[0],
            shift=multiplier[1],
            input_zero_point=source.q.zero_point,
            output_zero_point=self.output.q.zero_point,
            activation_min=low,
            activation_max=high,
            input_unsigned=int(source.dtype is DType.UINT8),
            output_unsigned=int(self.output.dtype is DType.UINT8),
        )

    def quantize(self) -> Step:
        source = self.inputs[0]
        if source.dtype is not DType.FLOAT32:
            low, high = (-128, 127) if self.output.dtype is DType.INT8 else (0, 255)
            return self.requantize(fp.ratio_multiplier(source.q, self.output.q), low, high)
        if self.output.dtype is not DType.INT8:
            raise self.error("turns float32 into uint8; convert with an int8 input")
        return self.convert(k.QUANTIZE_F32, self.output)

    def dequantize(self) -> Step:
        if self.inputs[0].dtype is not DType.INT8:
            raise self.error("turns uint8 into float32; convert with an int8 output")
        return self.convert(k.DEQUANTIZE_F32, self.inputs[0])

    def convert(self, kernel: Kernel, quantised: Tensor) -> Step:
        return step(
            kernel,
            self.layer,
            input=self.at(0),
            output=self.out,
            elements=self.output.elements,
            scale=quantised.q.scale,
            zero_point=quantised.q.zero_point,
        )

    def logistic(self) -> Step:
        source = self.inputs[0]
        return step(
            k.LUT,
            self.layer,
            in_place=self.overwritable(),
            input=self.at(0),
            output=self.out,
            elements=source.elements,
            table=Weights(fp.logistic_table(source.q, self.output.q), (256,)),
        )

    def softmax(self, options: Softmax) -> Step:
        source = self.inputs[0]
        depth = source.shape[-1] if source.shape else 1
        if depth > 4096:
            raise self.error(f"has {depth} classes, more than 4096; leave SOFTMAX out and take the largest logit")
        multiplier, left_shift, diff_min = fp.softmax_scaling(options.beta, source.q.scale)
        return step(
            k.SOFTMAX,
            self.layer,
            in_place=self.overwritable(),
            input=self.at(0),
            output=self.out,
            rows=source.elements // depth,
            depth=depth,
            multiplier=multiplier,
            left_shift=left_shift,
            diff_min=diff_min,
        )

    # Operators that reduce or move.

    def pool(self, options: AveragePool2d | MaxPool2d) -> Step:
        source, window = self.inputs[0], options.window
        low, high = fp.activation_range(options.activation, self.output.q)
        return step(
            k.AVERAGE_POOL_2D if isinstance(options, AveragePool2d) else k.MAX_POOL_2D,
            self.layer,
            input=self.at(0),
            output=self.out,
            batches=1,
            input_h=source.shape[1],
            input_w=source.shape[2],
            channels=source.shape[3],
            output_h=self.output.shape[1],
            output_w=self.output.shape[2],
            window_h=window.kernel_h,
            window_w=window.kernel_w,
            stride_h=window.stride_h,
            stride_w=window.stride_w,
            pad_top=window.padding.top,
            pad_left=window.padding.left,
            activation_min=low,
            activation_max=high,
        )

    def mean(self, options: Mean) -> Step:
        """Reduced and kept dimensions merge into at most [outer, reduce1, inner, reduce2]."""
        source = self.inputs[0]
        runs: list[tuple[bool, int]] = [(False, 1)]
        for axis, size in enumerate(source.shape):
            reduced = axis in options.axes
            if runs[-1][0] == reduced:
                runs[-1] = (reduced, runs[-1][1] * size)
            elif size > 1:
                runs.append((reduced, size))
        if len(runs) > 4:
            raise self.error(
                f"reduces the dimensions {list(options.axes)} of {list(source.shape)}; use neighbouring ones"
            )
        outer, reduce1, inner, reduce2 = [size for _, size in runs] + [1] * (4 - len(runs))
        if reduce1 * reduce2 >= 2**23:
            raise self.error(
                f"averages {reduce1 * reduce2} elements, at most {2**23 - 1} are supported; pool in two steps"
            )
        multiplier, shift = fp.mean_multiplier(source.q, self.output.q, reduce1 * reduce2)
        return step(
            k.MEAN,
            self.layer,
            input=self.at(0),
            output=self.out,
            outer=outer,
            reduce1=reduce1,
            inner=inner,
            reduce2=reduce2,
            multiplier=multiplier,
            shift=shift,
            input_zero_point=source.q.zero_point,
            output_zero_point=self.output.q.zero_point,
        )

    def leading_ones(self, values: Sequence[int], filler: int = 1) -> tuple[int, ...]:
        if len(values) > MAX_RANK:
            raise self.error(f"works on {len(values)} dimensions, at most {MAX_RANK} are supported; reshape")
        return (filler,) * (MAX_RANK - len(values)) + tuple(values)

    def pad(self, options: Pad) -> Step:
        return step(
            k.PAD,
            self.layer,
            input=self.at(0),
            output=self.out,
            dims=self.leading_ones(self.inputs[0].shape),
            before=self.leading_ones(options.before, 0),
            after=self.leading_ones(options.after, 0),
            value=options.value,
        )

    def concatenation(self, options: Concatenation) -> tuple[Step, ...]:
        stride = math.prod(self.output.shape[options.axis :])
        steps = []
        start = 0
        for place, tensor in enumerate(self.inputs):
            run = math.prod(tensor.shape[options.axis :])
            steps.append(
                step(
                    k.COPY,
                    self.layer,
                    input=self.at(place),
                    output=Buffer(self.out.id, start),
                    rows=tensor.elements // run,
                    row_bytes=run,
                    input_stride=run,
                    output_stride=stride,
                    input_blob=0,
                )
            )
            start += run
        return tuple(steps)

    def transpose(self, options: Transpose) -> Step:
        source = self.inputs[0]
        strides = [math.prod(source.shape[axis + 1 :]) for axis in options.permutation]
        return step(
            k.TRANSPOSE,
            self.layer,
            input=self.at(0),
            output=self.out,
            dims=self.leading_ones(self.output.shape),
            strides=self.leading_ones(strides, 0),
        )
