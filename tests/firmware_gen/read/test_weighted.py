# SPDX-License-Identifier: Apache-2.0
"""Convolutions and fully connected layers as the file has them."""

from __future__ import annotations

from typing import Any

import pytest

from dimmer.firmware_gen.graph.types import Activation, DepthwiseConv2d, FullyConnected
from dimmer.firmware_gen.read.tflite import parse_tflite
from tests.firmware_gen.read.damaged import refusal
from tests.firmware_gen.tflite_builder import Layers


def test_grouped_convolutions_are_refused() -> None:
    net = Layers(0)
    x = net.activation([1, 4, 4, 4])
    weights = net.weights([4, 1, 1, 2], 0)
    y = net.operator("CONV_2D", [x, weights], net.activation([1, 4, 4, 4], name="y"), strideH=1, strideW=1)
    assert "grouped convolutions are not supported, use DEPTHWISE_CONV_2D" in refusal(net.build(x, y))


def test_the_multiplier_of_a_depthwise_convolution_is_kept() -> None:
    net = Layers(0)
    x = net.activation([1, 4, 4, 3])
    y = net.depthwise(x, 2, activation="RELU6")
    options = parse_tflite(net.build(x, y), "net.tflite").operators[0].options
    assert isinstance(options, DepthwiseConv2d)
    assert (options.multiplier, options.activation) == (2, Activation.RELU6)
    net.operators[0].builtinOptions.depthMultiplier = 3
    assert "has weights [1, 3, 3, 6] for 3 channels and multiplier 3" in refusal(net.build(x, y))


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ([2, 4], {}, ""),
        ([1, 2, 4], {"keepNumDims": True}, ""),
        ([1, 2, 4], {}, "should have the output shape [2, 4]"),
        ([2, 4], {"keepNumDims": True}, "should have the output shape [1, 2, 4]"),
        ([2, 4], {"weightsFormat": 1}, "has WeightsFormat = 1, expected 0 to 0"),
    ],
)
def test_rows_of_a_fully_connected_layer(shape: list[int], options: dict[str, Any], message: str) -> None:
    net = Layers(0)
    x = net.activation([1, 2, 6])
    weights, output = net.weights([4, 6], 0), net.activation(shape, name="y")
    y = net.operator("FULLY_CONNECTED", [x, weights], output, **options)
    if message:
        assert message in refusal(net.build(x, y))
    else:
        assert parse_tflite(net.build(x, y), "net.tflite").operators[0].options == FullyConnected(Activation.NONE)


def test_an_input_that_is_not_made_of_rows_is_told() -> None:
    net = Layers(0)
    x = net.activation([1, 7])
    y = net.operator("FULLY_CONNECTED", [x, net.weights([4, 6], 0)], net.activation([1, 4], name="y"))
    assert "for an input [1, 7], which is not made of rows of 6" in refusal(net.build(x, y))


def test_a_bias_has_a_value_for_each_channel() -> None:
    net = Layers(0)
    x = net.activation([1, 6])
    y = net.operator("FULLY_CONNECTED", [x, net.weights([4, 6], 0), net.bias(3)], net.activation([1, 4], name="y"))
    assert "int32[3], expected 4 constant int32 values" in refusal(net.build(x, y))
