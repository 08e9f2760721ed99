# SPDX-License-Identifier: Apache-2.0
"""Operators on activations of 16 bits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from dimmer.firmware_gen.graph import fixed_point as fp
from dimmer.firmware_gen.graph import wide as tables
from dimmer.firmware_gen.graph.options import Axis, Lookup, Take
from dimmer.firmware_gen.graph.types import (
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
    Pad,
    Quantize,
    Relu,
    Softmax,
    Sub,
    Tensor,
    Transpose,
)
from dimmer.firmware_gen.kernels import portable as narrow
from dimmer.firmware_gen.kernels import wide as k
from dimmer.firmware_gen.kernels.record import Kernel
from dimmer.firmware_gen.lower.elementwise import Elementwise, sum_fields
from dimmer.firmware_gen.lower.moves import Moves
from dimmer.firmware_gen.lower.shapes import Shapes
from dimmer.firmware_gen.lower.steps import Params, Shifts, Step, Weights, step
from dimmer.firmware_gen.lower.weighted import Weighted, pointwise

LEFT_SHIFT = 15
MAX_SUM = 1 << 47
MAX_COUNT = 1 << 16


class Wide(Weighted, Elementwise, Shapes, Moves):
    """What has kernels of its own for 16 bits; what only moves values moves pairs of bytes."""

    def wide(self) -> tuple[Step, ...] | None:
        """The steps of an operator on 16 bits; None where it is on something else, or has no such kernel."""
        if DType.INT16 not in (self.output.dtype, self.inputs[0].dtype):
            return None
        match self.operator.options:
            case Conv2d() | DepthwiseConv2d():
                return (self.wide_convolution(self.operator.options),)
            case FullyConnected():
                return (self.wide_dense(self.operator.options),)
            case Add() | Sub():
                return (self.wide_sum(self.operator.options),)
            case Mul():
                return (self.wide_mul(self.operator.options),)
            case AveragePool2d() | MaxPool2d():
                return (self.wide_pool(self.operator.options),)
            case Mean():
                return (self.wide_mean(self.operator.options),)
            case Logistic() | Lookup("TANH"):
                return (self.wide_sigmoid(),)
            case Softmax():
                return (self.wide_softmax(self.operator.options),)
            case Relu() | Quantize() | Dequantize():
                return (self.wide_conversion(),)
        return self.wide_moves()

    def wide_moves(self) -> tuple[Step, ...] | None:
        """What moves values, as of bytes with one more dimension of two."""
        options = self.operator.options
        match options:
            case Take():
                if options.fill and any(None in part for axes in options.parts for part in axes):
                    raise self.error(f"fills with {options.fill}, of 16 bits only 0 can be; use PAD")
                doubled = Take(tuple((*map(_doubled, axes), range(2)) for axes in options.parts), 0)
            case Transpose():
                shape = self.inputs[0].shape
                lie = [range(0, size * step, step) for size, step in zip(shape, _strides(shape), strict=True)]
                doubled = Take(((*(_doubled(lie[axis]) for axis in options.permutation), range(2)),))
            case Pad() if options.value == 0:
                return self._as_bytes().padded(options)
            case Concatenation():
                return self._as_bytes().concatenation(options)
            case _:
                return None
        return self._as_bytes().take(doubled)

    def _as_bytes(self) -> _Bytes:
        """The same operator on int8 with a last dimension of two."""
        tensors = list(self.graph.tensors)
        for index in (*self.operator.inputs, self.operator.output):
            tensor = self.graph.tensors[index]
            tensors[index] = replace(tensor, shape=(*tensor.shape, 2), dtype=DType.INT8)
        return _Bytes(replace(self.graph, tensors=tuple(tensors)), self.operator, self.buffer)

    def wide_limits(self, options: Any) -> dict[str, Any]:
        """The fused activation."""
        low, high = fp.activation_range(options.activation, self.output.q, self.output.dtype)
        return {"activation_min": low, "activation_max": high}

    def wide_bias(
        self, weights: np.ndarray[Any, np.dtype[np.int64]], limit: int
    ) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The bias, 0 where there is none.

        Args:
            weights: int64[channels, inputs].
            limit: that no sum may reach.
        """
        bias = np.zeros(len(weights), dtype=np.int64)
        if len(self.inputs) == 3:
            bias = np.frombuffer(self.inputs[2].data or b"", dtype="<i8").astype(np.int64)
        sums = np.abs(weights).sum(axis=1)
        largest = max(abs(int(one)) + 2**15 * int(many) for one, many in zip(bias, sums, strict=True))
        if largest >= limit:
            raise fp.RangeError(f"a sum of up to {largest} may reach {limit}")
        return bias

    def wide_convolution(self, options: Conv2d | DepthwiseConv2d) -> Step:
        """CONV_2D and DEPTHWISE_CONV_2D: sums of 64 bits, rescaled by multipliers of 16."""
        source, weights = self.inputs[:2]
        data, values = self.weights()
        depthwise = isinstance(options, DepthwiseConv2d)
        flat = values.reshape(-1, values.shape[-1]).T if depthwise else values.reshape(len(values), -1)
        bias = self.wide_bias(flat, MAX_SUM)
        multipliers, shifts = fp.convolution_multipliers(
            source.q, weights.q, self.output.q, len(flat), unsigned=options.unsigned
        )
        if not all(-31 <= shift <= 7 for shift in shifts):
            raise fp.RangeError(f"it rescales by 2^{max(shifts, key=abs)}, of 16 bits 2^-31 to 2^7 can be")
        sizes = (*source.shape[1:], *self.output.shape[1:])
        if max(sizes) > 0xFFFF:
            raise self.error(f"has a dimension of {max(sizes)}, at most 65535 are supported; split it")
        return step(
            k.DEPTHWISE_CONV_2D if depthwise else k.CONV_2D,
            self.layer,
            macs=self.output.elements * flat.shape[1],
            input=self.at(0),
            output=self.out,
            weights=data,
            bias=Params(tuple(np.frombuffer(bias.astype("<i8").tobytes(), "<i4").tolist())),
            multipliers=Params(multipliers),
            shifts=Shifts(shifts),
            input_h=sizes[0],
            input_w=sizes[1],
            input_c=sizes[2],
            output_h=sizes[3],
            output_w=sizes[4],
            output_c=sizes[5],
            **self.window(options.window),
            **self.wide_limits(options),
        )

    def wide_dense(self, options: FullyConnected) -> Step:
        """FULLY_CONNECTED, rescaled in double as that of int8; TFLite-Micro's is a pointwise convolution."""
        source, weights = self.inputs[:2]
        if options.micro:
            return self.as_pointwise().wide_convolution(pointwise(options, weights.q.per_channel))
        data, values = self.weights()
        channels, depth = values.shape
        scales = fp.fully_connected_scales(source.q, weights.q, self.output.q)
        bias = self.wide_bias(values, int(2**31 / max(1.0, 2 * max(scales))))
        self.check_bias_scale()
        return step(
            k.FULLY_CONNECTED,
            self.layer,
            macs=source.elements * channels,
            input=self.at(0),
            output=self.out,
            weights=data,
            bias=Params(tuple(bias.tolist())),
            scales=Params(fp.double_words(scales)),
            rows=source.elements // depth,
            input_c=depth,
            output_c=channels,
            per_channel=int(weights.q.per_channel),
            **self.wide_limits(options),
        )

    def wide_pair(self) -> dict[str, Any]:
        """As `pair_fields`; constants are pairs of bytes."""
        return {
            **self.pair_fields(),
            **{f"input{place + 1}": self.wide_operand(place) for place in range(2)},
        }

    def wide_operand(self, place: int) -> Any:
        """An input: a buffer, or constants in the weights blob."""
        tensor: Tensor = self.inputs[place]
        return self.at(place) if tensor.data is None else Weights(tensor.data, (*tensor.shape, 2))

    def wide_sum(self, options: Add | Sub) -> Step:
        """ADD and SUB."""
        multipliers = fp.sum_multipliers(self.inputs[0].q, self.inputs[1].q, self.output.q, LEFT_SHIFT)
        return step(
            k.ADD,
            self.layer,
            in_place=self.overwritable(),
            **sum_fields(multipliers),
            sign=1 if isinstance(options, Add) else -1,
            **self.wide_pair(),
            **self.wide_limits(options),
        )

    def wide_mul(self, options: Mul) -> Step:
        """MUL."""
        multiplier, shift = fp.mul_multiplier(self.inputs[0].q, self.inputs[1].q, self.output.q, micro=options.micro)
        return step(
            k.MUL,
            self.layer,
            in_place=self.overwritable(),
            multiplier=multiplier,
            shift=shift,
            **self.wide_pair(),
            **self.wide_limits(options),
        )

    def wide_pool(self, options: AveragePool2d | MaxPool2d) -> Step:
        """AVERAGE_POOL_2D and MAX_POOL_2D."""
        window = options.window
        if window.kernel_h * window.kernel_w >= MAX_COUNT:
            raise self.error(f"has windows of {window.kernel_h}x{window.kernel_w}; pool in two steps")
        kernel = k.AVERAGE_POOL_2D if isinstance(options, AveragePool2d) else k.MAX_POOL_2D
        return step(kernel, self.layer, **self.pool_fields(window), **self.wide_limits(options))

    def wide_mean(self, options: Mean) -> Step:
        """MEAN."""
        outer, reduce1, inner, reduce2 = self.runs(options.axes)
        if reduce1 * reduce2 >= MAX_COUNT:
            raise self.error(
                f"averages {reduce1 * reduce2} elements, at most {MAX_COUNT - 1} are supported; pool twice"
            )
        multiplier, shift = fp.mean_multiplier(self.inputs[0].q, self.output.q, reduce1 * reduce2)
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
        )

    def wide_sigmoid(self) -> Step:
        """LOGISTIC and TANH."""
        hyperbolic = isinstance(self.operator.options, Lookup)
        multiplier, shift = tables.sigmoid_scaling(self.inputs[0].q.scale, hyperbolic=hyperbolic)
        return step(
            k.SIGMOID,
            self.layer,
            in_place=self.overwritable(),
            input=self.at(0),
            output=self.out,
            elements=self.output.elements,
            table=Params(tables.sigmoid_table()),
            multiplier=multiplier,
            shift=shift,
            hyperbolic=int(hyperbolic),
        )

    def wide_softmax(self, options: Softmax) -> Step:
        """SOFTMAX over the last dimension."""
        source = self.inputs[0]
        depth = source.shape[-1] if source.shape else 1
        multiplier, shift = tables.softmax_scaling(options.beta, source.q.scale)
        if shift > 15 or depth >= MAX_COUNT:
            raise fp.RangeError(f"its scale {source.q.scale:g} is too large, or its {depth} classes are too many")
        return step(
            k.SOFTMAX,
            self.layer,
            input=self.at(0),
            output=self.out,
            rows=source.elements // depth,
            depth=depth,
            exponentials=Params(tables.exponentials()),
            reciprocals=Params(tables.reciprocals()),
            multiplier=multiplier,
            shift=shift,
        )

    def wide_conversion(self) -> Step:
        """QUANTIZE, DEQUANTIZE, RELU and its kin."""
        source, output = self.inputs[0], self.output
        if DType.FLOAT32 in (source.dtype, output.dtype):
            back = output.dtype is DType.FLOAT32
            kernel: Kernel = k.DEQUANTIZE_F32 if back else k.QUANTIZE_F32
            scale = (source if back else output).q.scale
            return step(kernel, self.layer, input=self.at(0), output=self.out, elements=output.elements, scale=scale)
        pair, limits = fp.ratio_multiplier(source.q, output.q), (-128, 127)
        if output.dtype is DType.INT16:
            limits = (tables.LOWEST, tables.HIGHEST)
        if isinstance(self.operator.options, Relu):
            pair = fp.ratio_multiplier_float(source.q, output.q)
            limits = fp.activation_range(self.operator.options.activation, output.q, output.dtype)
        return step(
            k.REQUANTIZE,
            self.layer,
            input=self.at(0),
            output=self.out,
            elements=output.elements,
            multiplier=pair[0],
            input_zero_point=source.q.zero_point,
            output_zero_point=output.q.zero_point,
            activation_min=limits[0],
            activation_max=limits[1],
            shift=pair[1],
            source_type=source.dtype.code,
            output_type=output.dtype.code,
        )


class _Bytes(Shapes, Moves):
    """An operator that only moves values, on bytes."""

    def padded(self, options: Pad) -> tuple[Step, ...]:
        """PAD with zeros."""
        before, after = (*options.before, 0), (*options.after, 0)
        shape = list(self.inputs[0].shape)
        while len(shape) > 1 and not (before[-1] or after[-1] or before[-2] or after[-2]):
            # Neighbours that are not padded are one dimension.
            shape[-2:] = [shape[-2] * shape[-1]]
            before, after = before[:-1], after[:-1]
        if len(shape) > 1 and not (before[-1] or after[-1]):
            size = shape.pop()
            shape[-1] *= size
            before = (*before[:-2], before[-2] * size)
            after = (*after[:-2], after[-2] * size)
        return (
            step(
                narrow.PAD,
                self.layer,
                input=self.at(0),
                output=self.out,
                dims=self.leading_ones(shape),
                before=self.leading_ones(before, 0),
                after=self.leading_ones(after, 0),
                value=0,
            ),
        )


def _strides(shape: tuple[int, ...]) -> list[int]:
    steps = [1]
    for size in reversed(shape[1:]):
        steps.insert(0, steps[0] * size)
    return steps


def _doubled(axis: Axis) -> Axis:
    if isinstance(axis, range):
        return range(2 * axis.start, 2 * axis.stop, 2 * axis.step)
    return tuple(None if entry is None else 2 * entry for entry in axis)
