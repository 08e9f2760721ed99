"""Operators of a checked integer graph as loops over integers, for TVM.

Every result is the reference kernels' of TFLite, bit for bit: int8 x int8 sums in int32, rescaled in fixed point.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_gen import fixed_point as fp
from firmware_gen.graph import (
    Add,
    AveragePool2d,
    Conv2d,
    DepthwiseConv2d,
    FullyConnected,
    Graph,
    MaxPool2d,
    Mean,
    Operator,
    Pad,
    Quantize,
    Relu,
    Reshape,
    Sub,
    Tensor,
    Window,
)
from firmware_gen.lower import ADD_LEFT_SHIFT
from firmware_gen.passes import Network
from firmware_gen.slices import SLICES, sliced
from pipeline.errors import DimmerError

ALIGN = 64  # of a weight in weights.bin, as TVM aligns its own tensors

Array = npt.NDArray[Any]


@dataclass
class Weights:
    """The weights of all modes; equal ones are one."""

    arrays: list[Array] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    _places: dict[tuple[bytes, tuple[int, ...]], int] = field(default_factory=dict)

    def add(self, name: str, array: Array) -> int:
        """The index of a weight."""
        key = (array.tobytes(), array.shape)
        if key not in self._places:
            self._places[key] = len(self.arrays)
            self.arrays.append(array)
            self.names.append(name)
        return self._places[key]

    def write(self, folder: Path) -> None:
        """weights.bin and weights.json."""
        blob, entries = bytearray(), []
        for name, array in zip(self.names, self.arrays, strict=True):
            blob += bytes(-len(blob) % ALIGN)
            entries.append(
                {
                    "name": name,
                    "dtype": str(array.dtype),
                    "shape": list(array.shape),
                    "offset": len(blob),
                    "size": array.nbytes,
                }
            )
            blob += array.tobytes()
        (folder / "weights.bin").write_bytes(blob)
        (folder / "weights.json").write_text(json.dumps(entries, indent=1) + "\n")


def packed_weights(graph: Graph, operator: Operator) -> Array:
    """Weights with the output channels last, on which the inner loop runs."""
    tensor = graph.tensors[operator.inputs[1]]
    values = np.frombuffer(tensor.data or b"", np.int8).reshape(tensor.shape)
    match operator.options:
        case Conv2d():
            return np.ascontiguousarray(values.transpose(1, 2, 3, 0))
        case DepthwiseConv2d():
            return np.ascontiguousarray(values[0])
    return np.ascontiguousarray(values.T)


class Lowering:
    """Operators as loops over integers."""

    def __init__(self, builder: Any, network: Network, weights: Weights, parameters: Sequence[Any]) -> None:
        self.builder = builder
        self.network = network
        self.weights = weights
        self.parameters = parameters

    def shaped(self, value: Any, shape: tuple[int, ...]) -> Any:
        from tvm import relax

        if tuple(int(n) for n in value.ty.shape) == tuple(shape):
            return value
        return self.builder.emit(relax.op.reshape(value, shape))

    def emit(self, operator: Operator, made: dict[int, Any]) -> Any:
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
        from tvm import relax

        return [relax.const(array, str(array.dtype)) for array in arrays]

    def bias(self, tensors: Sequence[Tensor], sums: Array) -> Array:
        """int32[O]: the bias with the input's zero point times the weights folded in."""
        bias = np.zeros(len(sums), np.int64)
        if len(tensors) == 3:
            bias = np.frombuffer(tensors[2].data or b"", "<i4").astype(np.int64)
        folded: Array = (bias - tensors[0].q.zero_point * sums).astype(np.int32)
        return folded

    def convolution(self, operator: Operator, image: Any, tensors: Sequence[Tensor], output: Tensor) -> Any:
        from tvm import te

        options = operator.options
        assert isinstance(options, Conv2d | DepthwiseConv2d)
        window = options.window
        packed = packed_weights(self.network.graph, operator)
        place = self.weights.add("", packed)
        channels = output.shape[3]
        multiplied = options.multiplier if isinstance(options, DepthwiseConv2d) else None
        bits = tensors[1].weight_bits
        sums = sliced(packed, bits).astype(np.int64).reshape(-1, channels).sum(0)
        multipliers, shifts = fp.convolution_multipliers(tensors[0].q, tensors[1].q, output.q, channels)
        low, high = fp.activation_range(options.activation, output.q)
        zero, zero_out = tensors[0].q.zero_point, output.q.zero_point
        _, height, width, depth = tensors[0].shape

        def loops(x: Any, w: Any, bias: Any, multiplier: Any, shift: Any) -> Any:
            padded = _padded(x, window, zero, height, width)
            rows = te.reduce_axis((0, window.kernel_h), "rows")
            columns = te.reduce_axis((0, window.kernel_w), "columns")
            inputs = te.reduce_axis((0, depth), "inputs")

            def product(n: Any, y: Any, z: Any, o: Any) -> Any:
                at = (
                    n,
                    y * window.stride_h + rows * window.dilation_h,
                    z * window.stride_w + columns * window.dilation_w,
                )
                if multiplied is not None:
                    taken, weight = padded[(*at, o // multiplied)], w[rows, columns, o]
                    axes = [rows, columns]
                else:
                    taken, weight = padded[(*at, inputs)], w[rows, columns, inputs, o]
                    axes = [rows, columns, inputs]
                wide = (taken.astype("int16") * _slice(weight.astype("int16"), bits)).astype("int32")
                return te.sum(wide, axis=axes)

            sums_of = te.compute(output.shape, product, name="sums")
            return te.compute(
                output.shape,
                lambda n, y, z, o: _code(
                    _requantised(sums_of[n, y, z, o] + bias[o], multiplier[o], shift[o]) + zero_out, low, high
                ),
                name="codes",
            )

        arrays = self.constants(self.bias(tensors, sums), np.array(multipliers, np.int64), np.array(shifts, np.int64))
        return self.builder.emit_te(loops, image, self.parameters[place], *arrays, primfunc_name_hint="convolution")

    def fully_connected(self, operator: Operator, image: Any, tensors: Sequence[Tensor], output: Tensor) -> Any:
        from tvm import te, tirx

        options = operator.options
        assert isinstance(options, FullyConnected)
        packed = packed_weights(self.network.graph, operator)
        place = self.weights.add("", packed)
        depth, channels = packed.shape
        scales = fp.fully_connected_scales(tensors[0].q, tensors[1].q, output.q)
        low, high = fp.activation_range(options.activation, output.q)
        rows, zero_out = tensors[0].elements // depth, output.q.zero_point

        def loops(x: Any, w: Any, bias: Any, scale: Any) -> Any:
            inputs = te.reduce_axis((0, depth), "inputs")
            sums_of = te.compute(
                (rows, channels),
                lambda r, o: te.sum(
                    (x[r, inputs].astype("int16") * w[inputs, o].astype("int16")).astype("int32"), axis=[inputs]
                ),
                name="sums",
            )

            def code(r: Any, o: Any) -> Any:
                # Halves away from zero; the fraction of a double is exact, a sum with 0.5 is not.
                product = (sums_of[r, o] + bias[o]).astype("float64") * scale[o]
                size = tirx.abs(product)
                whole = tirx.trunc(size)
                rounded = whole.astype("int64") + tirx.Select(
                    size - whole >= tirx.const(0.5, "float64"), _i64(1), _i64(0)
                )
                signed = tirx.Select(product < tirx.const(0.0, "float64"), -rounded, rounded)
                return _code(signed + zero_out, low, high)

            return te.compute((rows, channels), code, name="codes")

        spread = np.array(scales if len(scales) > 1 else scales * channels, np.float64)
        arrays = self.constants(self.bias(tensors, packed.astype(np.int64).sum(0)), spread)
        flat = self.shaped(image, (rows, depth))
        made = self.builder.emit_te(loops, flat, self.parameters[place], *arrays, primfunc_name_hint="fully_connected")
        return self.shaped(made, output.shape)

    def sum(self, options: Add | Sub, first: Any, second: Any, tensors: Sequence[Tensor], output: Tensor) -> Any:
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
                return _requantised((code - tensor.q.zero_point) << ADD_LEFT_SHIFT, *pair)

            return taken

        left, right = operand(tensors[0], one), operand(tensors[1], two)

        def loops(x: Any, y: Any) -> Any:
            def code(*at: Any) -> Any:
                total = (left(x, at) + sign * right(y, at)).astype("int32")
                return _code(_requantised(total, *back) + output.q.zero_point, low, high)

            return te.compute(output.shape, code, name="codes")

        return self.builder.emit_te(loops, first, second, primfunc_name_hint="sum")

    def mean(self, options: Mean, image: Any, source: Tensor, output: Tensor) -> Any:
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
                lambda *at: _code(
                    _requantised(totals[at] - source.q.zero_point * count, *pair) + output.q.zero_point, -128, 127
                ),
                name="codes",
            )

        return self.shaped(self.builder.emit_te(loops, image, primfunc_name_hint="mean"), output.shape)

    def pool(self, options: AveragePool2d | MaxPool2d, image: Any, output: Tensor) -> Any:
        from tvm import te, tirx

        window = options.window
        low, high = fp.activation_range(options.activation, output.q)
        _, height, width, _ = (int(n) for n in image.ty.shape)
        average = isinstance(options, AveragePool2d)

        def loops(x: Any) -> Any:
            padded = _padded(x, window, 0 if average else -128, height, width)
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
                value = found[n, y, z, c]
                if average:
                    count = (
                        inside(y, window.stride_h, window.padding.top, window.kernel_h, height)
                        * inside(z, window.stride_w, window.padding.left, window.kernel_w, width)
                    ).astype("int32")
                    half = tirx.truncdiv(count, 2)
                    value = tirx.truncdiv(value + tirx.Select(value > 0, half, -half), count)
                return _code(value, low, high)

            return te.compute(output.shape, code, name="codes")

        return self.builder.emit_te(loops, image, primfunc_name_hint="pool")

    def pad(self, options: Pad, image: Any, output: Tensor) -> Any:
        from tvm import topi

        def loops(x: Any) -> Any:
            return topi.nn.pad(x, options.before, options.after, options.value)

        return self.builder.emit_te(loops, image, primfunc_name_hint="pad")

    def rescale(
        self, image: Any, source: Tensor, output: Tensor, pair: tuple[int, int], limits: tuple[int, int]
    ) -> Any:
        from tvm import te

        def loops(x: Any) -> Any:
            return te.compute(
                output.shape,
                lambda *at: _code(
                    _requantised(x[at].astype("int32") - source.q.zero_point, *pair) + output.q.zero_point, *limits
                ),
                name="codes",
            )

        return self.builder.emit_te(loops, self.shaped(image, output.shape), primfunc_name_hint="rescale")


def _i64(value: int) -> Any:
    from tvm import tirx

    return tirx.const(value, "int64")


def _padded(x: Any, window: Window, value: int, height: int, width: int) -> Any:
    from tvm import te, tirx

    p = window.padding
    if not any((p.top, p.bottom, p.left, p.right)):
        return x
    shape = (1, height + p.top + p.bottom, width + p.left + p.right, x.shape[3])

    def code(n: Any, y: Any, z: Any, c: Any) -> Any:
        inside = tirx.all(y >= p.top, y < p.top + height, z >= p.left, z < p.left + width)
        return tirx.if_then_else(inside, x[n, y - p.top, z - p.left, c], tirx.const(value, "int8"))

    return te.compute(shape, code, name="padded")


def _slice(weight: Any, bits: int) -> Any:
    """The bits of an int8 weight that a narrow mode computes with, int16: firmware_gen.slices.sliced."""
    from tvm import tirx

    if bits == 8:
        return weight
    shift, largest = SLICES[bits]
    rounded = (weight + tirx.const(1 << (shift - 1), "int16")) >> tirx.const(shift, "int16")
    return tirx.max(tirx.min(rounded, tirx.const(largest, "int16")), tirx.const(-largest, "int16"))


def _code(value: Any, low: int, high: int) -> Any:
    from tvm import tirx

    return tirx.max(tirx.min(value.astype("int64"), _i64(high)), _i64(low)).astype("int8")


def _requantised(x: Any, multiplier: Any, shift: Any) -> Any:
    """int64 of x * multiplier * 2^(shift - 31) as dimmer_requantize rounds it; shift positive is left."""
    from tvm import tirx

    fixed = isinstance(shift, int)
    if fixed:
        multiplier = _i64(multiplier)
    left = max(shift, 0) if fixed else tirx.max(shift, _i64(0))
    wide = x.astype("int64")
    if not fixed or left:
        wide = (wide << left).astype("int32").astype("int64")
    high = (wide * multiplier + _i64(1 << 30)) >> _i64(31)
    if fixed and shift >= 0:
        return high
    below = high - tirx.Select(high < _i64(0), _i64(1), _i64(0))
    right = _i64(-shift - 1) if fixed else tirx.max(-shift - _i64(1), _i64(0))
    rounded = ((below >> right) + _i64(1)) >> _i64(1)
    return rounded if fixed else tirx.Select(shift < _i64(0), rounded, high)
