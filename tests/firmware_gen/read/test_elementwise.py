# SPDX-License-Identifier: Apache-2.0
"""Operators that work value by value as the file has them."""

from __future__ import annotations

import numpy as np
import pytest

from dimmer.firmware_gen.graph.types import Activation, Add, Softmax
from dimmer.firmware_gen.read.tflite import parse_tflite
from tests.firmware_gen.networks import tiny_resnet
from tests.firmware_gen.read.damaged import Change, changed, refusal, set_operator, set_quantisation
from tests.firmware_gen.tflite_builder import Layers

SOFTMAX = 7
"""Its place in `tiny_resnet`."""

CHANGES: list[tuple[Change, str]] = [
    (set_operator(7, beta=float("nan")), "has beta = nan"),
    (set_operator(SOFTMAX, beta=0.0), "has beta = 0.0, expected a positive number"),
    (set_quantisation("y_17", zeroPoint=[0]), "must have an output of scale 1/256 and zero point -128"),
]


@pytest.mark.parametrize(("change", "message"), CHANGES, ids=[message for _, message in CHANGES])
def test_what_a_changed_file_is_told(change: Change, message: str) -> None:
    assert message in refusal(changed(change))


def test_a_sum_and_a_softmax_keep_their_numbers() -> None:
    operators = parse_tflite(tiny_resnet(), "net.tflite").operators
    assert operators[3].options == Add(Activation.RELU)
    assert operators[SOFTMAX].options == Softmax(1.0)


def test_shapes_that_do_not_broadcast_are_told() -> None:
    net = Layers(0)
    x = net.activation([1, 4])
    other = net.tensor("three", [1, 3], "int8", 0.1, 0, 0, np.zeros((1, 3)))
    y = net.operator("ADD", [x, other], net.activation([1, 4], name="y"))
    assert "has inputs [1, 4] and [1, 3], which do not broadcast" in refusal(net.build(x, y))


def test_two_constants_are_no_work_for_a_device() -> None:
    net = Layers(0)
    x = net.activation([1, 2])
    constant = net.tensor("constant", [1, 2], "int8", 0.1, 0, 0, np.zeros((1, 2)))
    y = net.operator("MUL", [constant, constant], net.activation([1, 2], name="y"))
    assert "has two constant inputs; fold constants before the conversion" in refusal(net.build(x, y))


@pytest.mark.parametrize(
    ("kind", "source", "output", "advice"),
    [
        ("QUANTIZE", "float32", "float32", "quantise float32, uint8, int8 or int16 activations to int8"),
        ("DEQUANTIZE", "int8", "int8", "only int8, uint8 and int16 activations can be"),
        ("QUANTIZE", "float32", "int8", ""),
        ("DEQUANTIZE", "int8", "float32", ""),
    ],
)
def test_conversions_are_between_known_types(kind: str, source: str, output: str, advice: str) -> None:
    net = Layers(0)
    x, y = (
        net.tensor(name, [1, 2], dtype, None if dtype == "float32" else 0.1)
        for name, dtype in (("x", source), ("y", output))
    )
    data = net.build(x, net.operator(kind, [x], y))
    if advice:
        assert f"turns {source} x into {output}; {advice}" in refusal(data)
    else:
        assert [operator.kind for operator in parse_tflite(data, "net.tflite").operators] == [kind]
