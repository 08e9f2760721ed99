# SPDX-License-Identifier: Apache-2.0
"""Operators of a checked integer graph as loops over integers, for TVM.

Every result is the reference kernels' of TFLite, bit for bit: int8 x int8 sums in int32, rescaled in fixed point.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dimmer.errors import DimmerError
from dimmer.firmware_gen.graph import fixed_point as fp
from dimmer.firmware_gen.graph.passes import Network
from dimmer.firmware_gen.graph.slices import sliced
from dimmer.firmware_gen.graph.types import (
    Add,
    AveragePool2d,
    Conv2d,
    DepthwiseConv2d,
    FullyConnected,
    MaxPool2d,
    Mean,
    Operator,
    Pad,
    Padding,
    Quantize,
    Relu,
    Reshape,
    Sub,
    Tensor,
    Window,
)
from dimmer.firmware_gen.lower.elementwise import ADD_LEFT_SHIFT
from dimmer.pipeline.tvm.arithmetic import as_code, i64, range_of, requantised, slice_of, with_padding
from dimmer.pipeline.tvm.dot import Dot
from dimmer.pipeline.tvm.weights import Array, Weights, packed_weights

ONE_BY_ONE = Window(1, 1, 1, 1, 1, 1, Padding(0, 0, 0, 0))


class Lowering:
    """Operators as loops over integers."""

    def __init__(self, builder: Any, network: Network, weights: Weights, parameters: Sequence[Any], dot: Dot) -> None:
        self.builder = builder
        self.dot = dot
        self.network = network
        self.weights = weights
        self.parameters = parameters

    def shaped(self, value: Any, shape: tuple[int, ...]) -> Any:
        """The value in this shape, reshaped where it has another."""
        from tvm import relax

        if tuple(int(n) for n in value.ty.shape) == tuple(shape):
            return value
        return self.builder.emit(relax.op.reshape(value, shape))

    def emit(self, operator: Operator, made: dict[int, Any]) -> Any:
        """One operator as Relax calls; gives its value."""
        graph = self.network.graph
        tensors = [graph.tensors[index] for index in operator.inputs]
        output = graph.tensors[operator.output]

        def value(place: int) -> Any:
            from tvm import relax

            tensor = tensors[place]
            if tensor.data is not None:
                constant = np.frombuffer(tensor.data, tensor.dtype.value).reshape(tensor.shape)
                return relax.const(constant, tensor.dtype.value)
            return self.shaped(made[self.network.storage[operator.inputs[place]]], tensor.shape)

        try:
            match operator.options:
                case Conv2d() | DepthwiseConv2d():
                    return self.convolution(operator, value(0), tensors, output)
                case FullyConnected():
                    return self.fully_connected(operator, value(0), tensors, output)
                case Add() | Sub():
                    return self.sum(operator.options, value(0), value(1), tensors, output)
                case Mean():
                    return self.mean(operator.options, value(0), tensors[0], output)
                case AveragePool2d() | MaxPool2d():
                    return self.pool(operator.options, value(0), output)
                case Pad():
                    return self.pad(operator.options, value(0), output)
                case Relu():
                    pair = fp.ratio_multiplier_float(tensors[0].q, output.q)
                    limits = fp.activation_range(operator.options.activation, output.q)
                    return self.rescale(value(0), tensors[0], output, pair, limits)
                case Quantize() if tensors[0].dtype.value == output.dtype.value == "int8":
                    pair = fp.ratio_multiplier(tensors[0].q, output.q)
                    return self.rescale(value(0), tensors[0], output, pair, (-128, 127))
                case Reshape():
                    return self.shaped(value(0), output.shape)
        except fp.RangeError as error:
            raise DimmerError(f"{graph.where(operator)}: {error}; quantise again") from error
        raise DimmerError(f"{graph.where(operator)} has no lowering for TVM; build for another target")

    def constants(self, *arrays: Array) -> list[Any]:
        """Arrays as constants of the function."""
        from tvm import relax

        return [relax.const(array, str(array.dtype)) for array in arrays]

    def bias(self, tensors: Sequence[Tensor], axis: int) -> Array:
        """int32[O]: the bias with the input's zero point times the weights folded in.

        Args:
            axis: of the weights, the outputs'.
        """
        weights = np.frombuffer(tensors[1].data or b"", np.int8).reshape(tensors[1].shape)
        taken = sliced(weights, tensors[1].weight_bits).astype(np.int64)
        sums = taken.sum(tuple(other for other in range(taken.ndim) if other != axis))
        bias = np.zeros(len(sums), np.int64)
        if len(tensors) == 3:
            bias = np.frombuffer(tensors[2].data or b"", "<i4").astype(np.int64)
        folded: Array = (bias - tensors[0].q.zero_point * sums).astype(np.int32)
        return folded

    def convolution(self, operator: Operator, image: Any, tensors: Sequence[Tensor], output: Tensor) -> Any:
        """CONV_2D and DEPTHWISE_CONV_2D."""
        from tvm import te

        options = operator.options
        assert isinstance(options, Conv2d | DepthwiseConv2d)
        depthwise = isinstance(options, DepthwiseConv2d)
        place = self.weights.add("", packed_weights(self.network.graph, operator, self.dot))
        channels = output.shape[3]
        multipliers, shifts = fp.convolution_multipliers(tensors[0].q, tensors[1].q, output.q, channels)
        low, high = fp.activation_range(options.activation, output.q)

        def loops(x: Any, w: Any, bias: Any, multiplier: Any, shift: Any) -> Any:
            w = slice_of(w, tensors[1].weight_bits)
            if isinstance(options, DepthwiseConv2d):
                sums = self.depthwise_sums(options, x, w, tensors[0], output)
            else:
                sums = self.dot_sums(options.window, x, w, tensors[0], output.shape[1:3])

            def code(n: Any, y: Any, z: Any, o: Any) -> Any:
                scaled = requantised(sums[n, y, z, o] + bias[o], multiplier[o], shift[o], range_of(shifts))
                return as_code(scaled + output.q.zero_point, low, high)

            return te.compute(output.shape, code, name="codes")

        bias = self.bias(tensors, 3 if depthwise else 0)
        arrays = self.constants(bias, np.array(multipliers, np.int32), np.array(shifts, np.int32))
        return self.builder.emit_te(loops, image, self.parameters[place], *arrays, primfunc_name_hint="convolution")

    def dot_sums(self, window: Window, x: Any, w: Any, source: Tensor, size: tuple[int, ...]) -> Any:
        """int32[1,H,W,O] of dot products, O filled up to a multiple of a step's outputs."""
        from tvm import te

        inputs = self.dot.inputs
        padded = with_padding(x, window, source.q.zero_point, inputs, self.dot.codes)
        rows = te.reduce_axis((0, window.kernel_h), "rows")
        columns = te.reduce_axis((0, window.kernel_w), "columns")
        steps = te.reduce_axis((0, w.shape[2]), "steps")
        lanes = te.reduce_axis((0, inputs), "lanes")

        def product(n: Any, y: Any, z: Any, o: Any) -> Any:
            taken = padded[
                n,
                y * window.stride_h + rows * window.dilation_h,
                z * window.stride_w + columns * window.dilation_w,
                steps * inputs + lanes,
            ]
            weight = w[rows, columns, steps, o, lanes]
            return te.sum(taken.astype("int32") * weight.astype("int32"), axis=[rows, columns, steps, lanes])

        return te.compute((1, *size, w.shape[3]), product, name="sums")

    def depthwise_sums(self, options: DepthwiseConv2d, x: Any, w: Any, source: Tensor, output: Tensor) -> Any:
        """Sums of a depthwise convolution, int32[1,H,W,C]."""
        from tvm import te

        window = options.window
        padded = with_padding(x, window, source.q.zero_point, 1, "int8")
        rows = te.reduce_axis((0, window.kernel_h), "rows")
        columns = te.reduce_axis((0, window.kernel_w), "columns")

        def product(n: Any, y: Any, z: Any, o: Any) -> Any:
            taken = padded[
                n,
                y * window.stride_h + rows * window.dilation_h,
                z * window.stride_w + columns * window.dilation_w,
                o // options.multiplier,
            ]
            wide = (taken.astype("int16") * w[rows, columns, o].astype("int16")).astype("int32")
            return te.sum(wide, axis=[rows, columns])

        return te.compute(output.shape, product, name="sums")

    def fully_connected(self, operator: Operator, image: Any, tensors: Sequence[Tensor], output: Tensor) -> Any:
        """FULLY_CONNECTED."""
        from tvm import te, tirx

        options = operator.options
        assert isinstance(options, FullyConnected)
        place = self.weights.add("", packed_weights(self.network.graph, operator, self.dot))
        channels, depth = tensors[1].shape
        scales = fp.fully_connected_scales(tensors[0].q, tensors[1].q, output.q)
        low, high = fp.activation_range(options.activation, output.q)
        rows, zero_out = tensors[0].elements // depth, output.q.zero_point

        def loops(x: Any, w: Any, bias: Any, scale: Any) -> Any:
            taken = slice_of(w, tensors[1].weight_bits)
            sums = self.dot_sums(ONE_BY_ONE, x, taken, tensors[0], (1, rows))

            def code(n: Any, y: Any, r: Any, o: Any) -> Any:
                # Halves away from zero; the fraction of a double is exact, a sum with 0.5 is not.
                product = (sums[n, y, r, o] + bias[o]).astype("float64") * scale[o]
                size = tirx.abs(product)
                whole = tirx.trunc(size)
                rounded = whole.astype("int64") + tirx.Select(
                    size - whole >= tirx.const(0.5, "float64"), i64(1), i64(0)
                )
                signed = tirx.Select(product < tirx.const(0.0, "float64"), -rounded, rounded)
                return as_code(signed + zero_out, low, high)

            return te.compute((1, 1, rows, channels), code, name="codes")

        spread = np.array(scales if len(scales) > 1 else scales * channels, np.float64)
        arrays = self.constants(self.bias(tensors, 0), spread)
        flat = self.shaped(image, (1, 1, rows, depth))
        made = self.builder.emit_te(loops, flat, self.parameters[place], *arrays, primfunc_name_hint="fully_connected")
        return self.shaped(made, output.shape)

    def sum(self, options: Add | Sub, first: Any, second: Any, tensors: Sequence[Tensor], output: Tensor) -> Any:
        """ADD and SUB."""
        from tvm import te

        one, two, back = fp.sum_multipliers(tensors[0].q, tensors[1].q, output.q, ADD_LEFT_SHIFT)
        low, high = fp.activation_range(options.activation, output.q)
        sign = 1 if isinstance(options, Add) else -1
        rank = len(output.shape)

        def operand(tensor: Tensor, pair: tuple[int, int]) -> Callable[[Any, tuple[Any, ...]], Any]:
            shape = (1,) * (rank - len(tensor.shape)) + tensor.shape

            def taken(x: Any, at: tuple[Any, ...]) -> Any:
                place = [0 if length == 1 else i for i, length in zip(at, shape, strict=True)]
                code = x[tuple(place[rank - len(tensor.shape) :])].astype("int32")
                return requantised((code - tensor.q.zero_point) << ADD_LEFT_SHIFT, *pair)

            return taken

        left, right = operand(tensors[0], one), operand(tensors[1], two)

        def loops(x: Any, y: Any) -> Any:
            def code(*at: Any) -> Any:
                total = (left(x, at) + sign * right(y, at)).astype("int32")
                return as_code(requantised(total, *back) + output.q.zero_point, low, high)

            return te.compute(output.shape, code, name="total")

        return self.builder.emit_te(loops, first, second, primfunc_name_hint="sum")

    def mean(self, options: Mean, image: Any, source: Tensor, output: Tensor) -> Any:
        """MEAN."""
        from tvm import te

        count = int(np.prod([source.shape[axis] for axis in options.axes]))
        pair = fp.mean_multiplier(source.q, output.q, count)
        kept = tuple(length for axis, length in enumerate(source.shape) if axis not in options.axes) or (1,)

        def loops(x: Any) -> Any:
            axes = {axis: te.reduce_axis((0, source.shape[axis]), f"axis{axis}") for axis in options.axes}

            def total(*at: Any) -> Any:
                rest = iter(at)
                place = [axes[axis] if axis in axes else next(rest) for axis in range(len(source.shape))]
                return te.sum(x[tuple(place)].astype("int32"), axis=list(axes.values()))

            totals = te.compute(kept, total, name="sums")
            return te.compute(
                kept,
                lambda *at: as_code(
                    requantised(totals[at] - source.q.zero_point * count, *pair) + output.q.zero_point, -128, 127
                ),
                name="codes",
            )

        return self.shaped(self.builder.emit_te(loops, image, primfunc_name_hint="mean"), output.shape)

    def pool(self, options: AveragePool2d | MaxPool2d, image: Any, output: Tensor) -> Any:
        """AVERAGE_POOL_2D and MAX_POOL_2D."""
        from tvm import te, tirx

        window = options.window
        low, high = fp.activation_range(options.activation, output.q)
        _, height, width, _ = (int(n) for n in image.ty.shape)
        average = isinstance(options, AveragePool2d)

        def loops(x: Any) -> Any:
            padded = with_padding(x, window, 0 if average else -128, 1, "int8")
            rows = te.reduce_axis((0, window.kernel_h), "rows")
            columns = te.reduce_axis((0, window.kernel_w), "columns")

            def taken(n: Any, y: Any, z: Any, c: Any) -> Any:
                code = padded[n, y * window.stride_h + rows, z * window.stride_w + columns, c].astype("int32")
                return te.sum(code, axis=[rows, columns]) if average else te.max(code, axis=[rows, columns])

            found = te.compute(output.shape, taken, name="sums")

            def inside(position: Any, stride: int, before: int, kernel: int, length: int) -> Any:
                start = position * stride - before
                return tirx.min(start + kernel, length) - tirx.max(start, 0)

            def code(n: Any, y: Any, z: Any, c: Any) -> Any:
                value = found[n, y, z, c].astype("int32")
                if average:
                    count = (
                        inside(y, window.stride_h, window.padding.top, window.kernel_h, height)
                        * inside(z, window.stride_w, window.padding.left, window.kernel_w, width)
                    ).astype("int32")
                    half = tirx.truncdiv(count, 2)
                    value = tirx.truncdiv(value + tirx.Select(value > 0, half, -half), count)
                return as_code(value, low, high)

            return te.compute(output.shape, code, name="codes")

        return self.builder.emit_te(loops, image, primfunc_name_hint="pool")

    def pad(self, options: Pad, image: Any, output: Tensor) -> Any:
        """PAD."""
        from tvm import topi

        def loops(x: Any) -> Any:
            return topi.nn.pad(x, options.before, options.after, options.value)

        return self.builder.emit_te(loops, image, primfunc_name_hint="pad")

    def rescale(
        self, image: Any, source: Tensor, output: Tensor, pair: tuple[int, int], limits: tuple[int, int]
    ) -> Any:
        """Codes of one scale to codes of another, within limits."""
        from tvm import te

        def loops(x: Any) -> Any:
            return te.compute(
                output.shape,
                lambda *at: as_code(
                    requantised(x[at].astype("int32") - source.q.zero_point, *pair) + output.q.zero_point, *limits
                ),
                name="codes",
            )

        return self.builder.emit_te(loops, self.shaped(image, output.shape), primfunc_name_hint="rescale")
