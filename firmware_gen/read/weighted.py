# SPDX-License-Identifier: Apache-2.0
"""Records of operators with weights."""

from __future__ import annotations

from dimmer.firmware_gen.graph.options import BatchMatMul, L2Normalization
from dimmer.firmware_gen.graph.types import Conv2d, DepthwiseConv2d, FullyConnected, Options, TransposeConv
from dimmer.firmware_gen.read.record import RecordReader


class WeightedReader(RecordReader):
    """CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED."""

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
        return Conv2d(window, self._activation(), self._unsigned), inputs

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
        return DepthwiseConv2d(window, multiplier, self._activation(), self._unsigned), inputs

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

    def _transpose_conv(self) -> tuple[Options, tuple[int, ...]]:
        given = self._inputs(3, 4)
        inputs = (given[2], given[1], *given[3:])
        self._activations(inputs[0], self._record.outputs[0])
        channels = self._image(inputs[0])[2]
        weights = self._weights(inputs[1], 4, 0, inputs[2] if len(inputs) == 3 else None)
        out_channels, kernel_h, kernel_w, in_channels = weights.shape
        if in_channels != channels:
            raise self.error(
                f"has weights for {in_channels} input channels, its input has {channels}; convert it again"
            )
        shape = self._parameter(given[0], "output shape")
        if len(shape) != 4 or shape[0] != 1 or shape[3] != out_channels or min(shape) < 1:
            raise self.error(f"makes {list(shape)[:8]} of {out_channels} channels; convert the model again")
        window, _, _ = self._window((shape[1], shape[2]), (kernel_h, kernel_w), dilated=False)
        self._shape(shape)
        return TransposeConv(window, self._activation(), self._unsigned), inputs

    def _batch_matmul(self) -> tuple[Options, tuple[int, ...]]:
        inputs = self._inputs(2, 2)
        self._int8(*inputs)
        self._activations(self._record.outputs[0])
        options = BatchMatMul(bool(self._number("AdjX")), bool(self._number("AdjY")))
        first, second = (self.tensor(index) for index in inputs)
        if min(len(first.shape), len(second.shape)) < 2 or first.q.per_channel or second.q.per_channel:
            raise self.error(f"multiplies {list(first.shape)} by {list(second.shape)}; convert the model again")
        rows, depth = first.shape[-2:][:: -1 if options.transposed1 else 1]
        other, columns = second.shape[-2:][:: -1 if options.transposed2 else 1]
        rank = max(len(first.shape), len(second.shape)) - 2
        batches = [(1,) * (rank + 2 - len(tensor.shape)) + tensor.shape[:-2] for tensor in (first, second)]
        if depth != other or any(a != b and 1 not in (a, b) for a, b in zip(*batches, strict=True)):
            raise self.error(f"multiplies {list(first.shape)} by {list(second.shape)}; convert the model again")
        self._shape((*(max(pair) for pair in zip(*batches, strict=True)), rows, columns))
        return options, inputs

    def _l2_normalization(self) -> tuple[Options, tuple[int, ...]]:
        inputs = self._inputs(1, 1)
        self._activations(inputs[0], self._record.outputs[0])
        self._shape(self.tensor(inputs[0]).shape)
        q = self._output.q
        if (q.scale, q.zero_point) != (1 / 128, 0):
            raise self.error(
                f"must have an output of scale 1/128 and zero point 0, {self._output.name} has {q.scale:g} and "
                f"{q.zero_point}; quantise again"
            )
        return L2Normalization(), inputs
