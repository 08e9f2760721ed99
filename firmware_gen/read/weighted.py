# SPDX-License-Identifier: Apache-2.0
"""Records of operators with weights."""

from __future__ import annotations

from dimmer.firmware_gen.graph.types import Conv2d, DepthwiseConv2d, FullyConnected, Options
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
