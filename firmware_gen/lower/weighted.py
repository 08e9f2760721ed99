# SPDX-License-Identifier: Apache-2.0
"""Operators with weights: convolutions and fully connected layers."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Self

import numpy as np

from dimmer.firmware_gen.graph import fixed_point as fp
from dimmer.firmware_gen.graph.options import BatchMatMul
from dimmer.firmware_gen.graph.products import own_layout
from dimmer.firmware_gen.graph.ranges import code_range
from dimmer.firmware_gen.graph.slices import sliced
from dimmer.firmware_gen.graph.types import (
    Conv2d,
    DepthwiseConv2d,
    FullyConnected,
    Padding,
    TransposeConv,
    Window,
)
from dimmer.firmware_gen.graph.views import Axis, merged
from dimmer.firmware_gen.kernels import portable as k
from dimmer.firmware_gen.kernels.record import Kernel
from dimmer.firmware_gen.kernels.unsigned import CONV_2D_OFFSET, DEPTHWISE_CONV_2D_OFFSET, FULLY_CONNECTED_OFFSET
from dimmer.firmware_gen.lower.context import Context
from dimmer.firmware_gen.lower.steps import Params, Scratch, Shifts, Step, Weights, step

SLICE_BYTES = 4096
"""Of scratch that the sliced weights of a group of channels may take; two channels in any case."""


MAX_SLICE_CHANNELS = 254


def in_one_piece(axis: Axis, place: int) -> bool:
    """Whether the elements along an axis are neighbours in one of its tensors."""
    own = merged([(run[0], run[1 + place]) for run in axis])
    return not own or (len(own) == 1 and own[0][1] == 1)


def runs_of(name: str, axis: Axis, *steps: str) -> dict[str, Any]:
    """An axis as a record has it: its inner run, of each tensor a step in it, and what a step to the next adds."""
    inner = axis[-1] if axis else (1,) * (1 + len(steps))
    found: dict[str, Any] = {f"{name}_run": inner[0]}
    for place, step_name in enumerate(steps, 1):
        # Behind a single run comes nothing.
        jump = axis[0][place] - inner[0] * inner[place] if len(axis) > 1 else 0
        found |= {step_name: inner[place], f"{step_name}_jump": jump}
    return found


def pointwise(options: FullyConnected, per_channel: bool) -> Conv2d:
    """The convolution that computes a FULLY_CONNECTED; with one scale TFLite multiplies scales in float32."""
    return Conv2d(Window(1, 1, 1, 1, 1, 1, Padding()), options.activation, not per_channel)


class Weighted(Context):
    """CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED."""

    def folded_bias(self, weights: np.ndarray[Any, np.dtype[np.int64]], scale: float = 1.0) -> Params:
        """Bias - input_zero_point * sum(weights).

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

    def rescaling(self, weights: np.ndarray[Any, np.dtype[np.int64]], unsigned: bool) -> dict[str, Any]:
        """Bias, multipliers and shifts of a convolution; those of a channel that died in training are made such as
        every kernel can do.

        Args:
            weights: int64[channels, inputs].
        """
        pairs = fp.convolution_multipliers(
            self.inputs[0].q, self.inputs[1].q, self.output.q, len(weights), unsigned=unsigned
        )
        spreads = 128 * np.abs(weights).sum(axis=1)
        channels = list(zip(self.folded_bias(weights).values, *pairs, strict=True))
        for number, (bias, multiplier, shift) in enumerate(channels):
            spread = int(spreads[number])
            if multiplier == 0 or shift < -22 or abs(bias) + spread >= 2**30:
                constant = fp.constant_channel(bias, multiplier, shift, spread)
                channels[number] = constant or channels[number]
                bias, multiplier, shift = channels[number]
            if (abs(bias) + spread << max(shift, 0)) + 128 >= 2**31:
                raise fp.RangeError(f"a sum of up to {abs(bias) + spread}, times 2^{shift}, may overflow")
        biases, multipliers, shifts = zip(*channels, strict=True)
        return {"bias": Params(biases), "multipliers": Params(multipliers), "shifts": Shifts(shifts)}

    def weights(self) -> tuple[Weights, np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
        """As they lie in the blob, and the values int64[shape] that the kernel computes with."""
        tensor = self.inputs[1]
        data = tensor.data or b""
        codes = sliced(np.frombuffer(data, dtype=np.int8), tensor.weight_bits)
        return Weights(data, tensor.shape), codes.astype(np.int64).reshape(tensor.shape)

    def window(self, window: Window) -> dict[str, Any]:
        """Kernel, stride, dilation and padding as fields of a record."""
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

    def offset_bias(self, weights: np.ndarray[Any, np.dtype[np.int64]], scale: float = 1.0) -> Params:
        """The bias as the file has it, for kernels that take zero points off themselves.

        Args:
            weights: int64[channels, inputs].
            scale: as of folded_bias.

        Raises:
            RangeError: a sum may overflow.
        """
        bias = np.zeros(len(weights), dtype=np.int64)
        if len(self.inputs) == 3:
            bias = np.frombuffer(self.inputs[2].data or b"", dtype="<i4").astype(np.int64)
        largest = int((np.abs(bias) + 255 * np.abs(weights - self.inputs[1].q.zero_point).sum(axis=1)).max())
        if largest * max(scale, 1.0) >= 2**31:
            raise fp.RangeError(f"a sum of up to {largest} may overflow")
        return Params(tuple(bias.tolist()))

    def rescaled(
        self, kernel: Kernel, offset: Kernel, weights: np.ndarray[Any, np.dtype[np.int64]], unsigned: bool
    ) -> tuple[Kernel, dict[str, Any]]:
        """The kernel of a convolution, and what it adds and rescales by.

        Args:
            offset: the kernel of weights with a zero point.
            weights: int64[channels, inputs].
            unsigned: as of Conv2d.
        """
        zero_point = self.inputs[1].q.zero_point
        if not zero_point:
            return kernel, self.rescaling(weights, unsigned)
        multipliers, shifts = fp.convolution_multipliers(
            self.inputs[0].q, self.inputs[1].q, self.output.q, len(weights), unsigned=unsigned
        )
        return offset, {
            "bias": self.offset_bias(weights, 2.0 ** max(0, *shifts)),
            "multipliers": Params(multipliers),
            "shifts": Shifts(shifts),
            "weights_zero_point": zero_point,
        }

    def conv(self, options: Conv2d) -> Step:
        """CONV_2D; with 4 or 2 bits it computes with slices of the 8-bit weights."""
        return self.convolution(options, *self.weights())

    def convolution(
        self, options: Conv2d, weights: Weights, values: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
    ) -> Step:
        """A convolution with weights int8[O,H,W,I]."""
        source, window = self.inputs[0], options.window
        channels = values.shape[0]
        flat = values.reshape(channels, -1)
        low, high = fp.activation_range(options.activation, self.output.q)
        patch = window.kernel_h * window.kernel_w * source.shape[3]
        if patch > 0xFFFF:
            raise self.error(f"sums over {patch} inputs, more than 65535; split the layer")
        pointwise = (window.kernel_h, window.kernel_w, window.stride_h, window.stride_w) == (1, 1, 1, 1) and not any(
            (window.padding.top, window.padding.bottom, window.padding.left, window.padding.right)
        )
        kernel, rescaling = self.rescaled(k.CONV_2D, CONV_2D_OFFSET, flat, options.unsigned)
        scratch = 0 if pointwise or kernel is CONV_2D_OFFSET else 2 * ((patch + 3) // 4 * 4)
        bits, group = self.inputs[1].weight_bits, 0
        if bits != 8:
            group = min(channels, MAX_SLICE_CHANNELS, max(2, SLICE_BYTES // patch // 2 * 2))
            scratch += group * patch
        return step(
            kernel,
            self.layer,
            macs=self.output.elements * patch,
            scratch_bytes=scratch,
            input_high=code_range(self.graph, self.operator.inputs[0])[1],
            input=self.at(0),
            output=self.out,
            scratch=Scratch() if scratch else 0,
            weights=weights,
            **rescaling,
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
        """DEPTHWISE_CONV_2D; of one channel it is a convolution, whose kernels are faster."""
        source, window = self.inputs[0], options.window
        weights, values = self.weights()
        if source.shape[3] == 1 and self.inputs[1].weight_bits == 8:
            turned = values.transpose(3, 1, 2, 0)
            whole = Weights(turned.astype(np.int8).tobytes(), turned.shape)
            return self.convolution(Conv2d(window, options.activation, options.unsigned), whole, turned)
        flat = values.reshape(-1, values.shape[3]).T
        low, high = fp.activation_range(options.activation, self.output.q)
        kernel, rescaling = self.rescaled(k.DEPTHWISE_CONV_2D, DEPTHWISE_CONV_2D_OFFSET, flat, options.unsigned)
        return step(
            kernel,
            self.layer,
            macs=self.output.elements * window.kernel_h * window.kernel_w,
            input=self.at(0),
            output=self.out,
            weights=weights,
            **rescaling,
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
        """FULLY_CONNECTED, rescaled in double as the reference does; TFLite-Micro's is a pointwise convolution."""
        if options.micro:
            return self.as_pointwise().conv(pointwise(options, self.inputs[1].q.per_channel))
        source = self.inputs[0]
        weights, values = self.weights()
        channels, depth = values.shape
        per_channel = self.inputs[1].q.per_channel
        scales = fp.fully_connected_scales(source.q, self.inputs[1].q, self.output.q)
        zero_point = self.inputs[1].q.zero_point
        bias = self.offset_bias(values, 2 * max(scales)) if zero_point else self.folded_bias(values, 2 * max(scales))
        offset: dict[str, Any] = {}
        if zero_point:
            offset = {"input_zero_point": source.q.zero_point, "weights_zero_point": zero_point}
        self.check_bias_scale()
        low, high = fp.activation_range(options.activation, self.output.q)
        return step(
            FULLY_CONNECTED_OFFSET if zero_point else k.FULLY_CONNECTED,
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
            **offset,
        )

    def transpose_conv(self, options: TransposeConv) -> Step:
        """TRANSPOSE_CONV: each output adds what reaches it, so that nothing is kept meanwhile."""
        source, window = self.inputs[0], options.window
        weights, values = self.weights()
        channels = values.shape[0]
        bias = np.zeros(channels, dtype=np.int64)
        if len(self.inputs) == 3:
            bias = np.frombuffer(self.inputs[2].data or b"", dtype="<i4").astype(np.int64)
        largest = int((np.abs(bias) + 255 * np.abs(values).reshape(channels, -1).sum(axis=1)).max())
        if largest >= 2**31:
            raise fp.RangeError(f"a sum of up to {largest} may overflow")
        multipliers, shifts = fp.convolution_multipliers(
            source.q, self.inputs[1].q, self.output.q, channels, unsigned=options.unsigned
        )
        low, high = fp.activation_range(options.activation, self.output.q)
        return step(
            k.TRANSPOSE_CONV,
            self.layer,
            macs=source.elements * window.kernel_h * window.kernel_w * channels,
            input=self.at(0),
            output=self.out,
            weights=weights,
            bias=Params(tuple(bias.tolist())),
            multipliers=Params(multipliers),
            shifts=Shifts(shifts),
            input_h=source.shape[1],
            input_w=source.shape[2],
            input_c=source.shape[3],
            output_h=self.output.shape[1],
            output_w=self.output.shape[2],
            output_c=channels,
            kernel_h=window.kernel_h,
            kernel_w=window.kernel_w,
            stride_h=window.stride_h,
            stride_w=window.stride_w,
            pad_top=window.padding.top,
            pad_left=window.padding.left,
            input_zero_point=source.q.zero_point,
            output_zero_point=self.output.q.zero_point,
            activation_min=low,
            activation_max=high,
        )

    def as_pointwise(self) -> Self:
        """The same operator on images a row high of one pixel each, with weights [O,1,1,I]."""
        weights = self.inputs[1]
        channels, depth = weights.shape
        rows = self.inputs[0].elements // depth
        shapes = (
            (self.operator.inputs[0], (1, rows, 1, depth)),
            (self.operator.inputs[1], (channels, 1, 1, depth)),
            (self.operator.output, (1, rows, 1, channels)),
        )
        tensors = list(self.graph.tensors)
        for index, shape in shapes:
            tensors[index] = replace(tensors[index], shape=shape)
        return type(self)(replace(self.graph, tensors=tuple(tensors)), self.operator, self.buffer)

    def batch_matmul(self, options: BatchMatMul) -> Step:
        """BATCH_MATMUL; the operand whose depth lies in one piece comes first, so that a row of it is one vector."""
        layout = options.layout or own_layout(self.graph, self.operator)
        order = (0, 1)
        if not in_one_piece(layout.depth, 0) and in_one_piece(layout.depth, 1):
            layout, order = layout.turned(), (1, 0)
        rows, depth, columns = (
            math.prod(run[0] for run in axis) for axis in (layout.rows, layout.depth, layout.columns)
        )
        if depth >= 1 << 15:
            raise self.error(f"sums over {depth} products, at most {(1 << 15) - 1} are supported; split it")
        multiplier, shift = fp.product_multiplier(self.inputs[0].q, self.inputs[1].q, self.output.q)
        first, second = (self.inputs[place] for place in order)
        return step(
            k.BATCH_MATMUL,
            self.layer,
            macs=len(layout.batches) * rows * depth * columns,
            input1=self.operand(order[0]),
            input2=self.operand(order[1]),
            output=self.out,
            places=Params(tuple(offset for places in layout.batches for offset in places)),
            batches=len(layout.batches),
            rows=rows,
            columns=columns,
            depth=depth,
            **runs_of("rows", layout.rows, "row1", "row_out"),
            **runs_of("columns", layout.columns, "column2", "column_out"),
            **runs_of("depth", layout.depth, "step1", "step2"),
            multiplier=multiplier,
            shift=shift,
            zero_point1=first.q.zero_point,
            zero_point2=second.q.zero_point,
            output_zero_point=self.output.q.zero_point,
            input1_blob=int(first.constant),
            input2_blob=int(second.constant),
        )

    def check_bias_scale(self) -> None:
        """The stock interpreter refuses a bias whose scale is not about that of the products."""
        if len(self.inputs) < 3 or self.inputs[1].q.per_channel:
            return
        given = self.inputs[2].quantisation
        product = self.inputs[0].q.scale * self.inputs[1].q.scale
        if abs(product - (given.scale if given else 0.0)) / self.output.q.scale > 0.02:
            raise self.error(f"has a bias whose scale is not {product:g}, that of its products; quantise again")
