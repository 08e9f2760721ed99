# SPDX-License-Identifier: Apache-2.0
"""What operators of every kind must have: tensors, options, windows, weights."""

from __future__ import annotations

import pytest

from dimmer.firmware_gen.graph.types import Conv2d, Padding
from dimmer.firmware_gen.read.tflite import parse_tflite
from tests.firmware_gen.read.damaged import Change, changed, refusal, set_operator, set_quantisation, set_tensor
from tests.firmware_gen.tflite_builder import Layers

CHANGES: list[tuple[Change, str]] = [
    (set_tensor("x", shape=[2, 8, 8, 3]), "the input x has a batch of 2, a firmware takes one at a time"),
    (set_tensor("x", shape=[1, 9, 8, 3]), "should have the output shape [1, 9, 8, 4], the file says [1, 8, 8, 4]"),
    (set_tensor("x", quantization=None), "x, which has no scale and zero point"),
    (set_quantisation("weights_1", zeroPoint=[1, 0, 0, 0]), "zero point other than 0; quantise weights symmetrically"),
    (set_operator(0, strideH=0), "has StrideH = 0, expected 1 to 255"),
    (set_operator(0, padding=7), "has Padding = 7"),
    (set_operator(0, fusedActivationFunction=4), "has the fused activation 4, which is not supported"),
    (set_operator(0, builtinOptions=None, builtinOptionsType=0), "has no options"),
    (set_operator(0, inputs=[0]), "has 1 inputs, expected 2 to 3"),
    (set_operator(0, outputs=[0]), "should have the output shape"),
]


@pytest.mark.parametrize(("change", "message"), CHANGES, ids=[message for _, message in CHANGES])
def test_what_a_changed_file_is_told(change: Change, message: str) -> None:
    assert message in refusal(changed(change))


def test_weights_must_be_constant() -> None:
    net = Layers(0)
    x = net.activation([1, 3, 3, 4])
    y = net.operator("CONV_2D", [x, x], net.activation([1, 3, 3, 1], name="y"), strideH=1, strideW=1)
    assert "only constant weights can lie in flash" in refusal(net.build(x, y))


@pytest.mark.parametrize(
    ("size", "stride", "dilation", "expected"),
    [(8, 1, 1, (1, 1)), (8, 2, 1, (0, 1)), (7, 2, 1, (1, 1)), (9, 1, 2, (2, 2)), (8, 3, 1, (0, 1))],
)
def test_same_padding_has_its_odd_element_behind(
    size: int, stride: int, dilation: int, expected: tuple[int, int]
) -> None:
    net = Layers(0)
    x = net.activation([1, size, size, 2])
    y = net.conv(x, 1, stride=(stride, stride), dilation=(dilation, dilation))
    options = parse_tflite(net.build(x, y), "net.tflite").operators[0].options
    assert isinstance(options, Conv2d)
    assert options.window.padding == Padding(*expected, *expected)


def test_a_window_larger_than_its_input_is_told() -> None:
    net = Layers(0)
    x = net.activation([1, 2, 2, 1])
    weights, output = net.weights([1, 3, 3, 1], 0), net.activation([1, 1, 1, 1], name="y")
    y = net.operator("CONV_2D", [x, weights, net.bias(1)], output, strideH=1, strideW=1, padding=1)
    assert "its window is larger than its input, use a larger input or SAME padding" in refusal(net.build(x, y))
