# SPDX-License-Identifier: Apache-2.0
"""Decisions, changes of type and divisions: what is told of others."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from dimmer.firmware_gen.graph.types import DType
from dimmer.firmware_gen.read.tflite import parse_tflite
from tests.firmware_gen.networks import tiny_logic
from tests.firmware_gen.read.damaged import Change, refusal, set_operator, set_quantisation, set_tensor
from tests.firmware_gen.tflite_builder import Layers, pack

LESS, OR, SELECT_V2, SELECT, FLOOR_DIV, ARG_MAX, CAST = 0, 2, 4, 5, 6, 7, 8


def test_whole_numbers_and_flags_may_be_outputs() -> None:
    model = schema.ModelT.InitFromPackedBuf(tiny_logic(), 0)
    graph = model.subgraphs[0]
    graph.outputs = [index for index, t in enumerate(graph.tensors) if t.name in (b"flags_3", b"places", b"y")]
    read = parse_tflite(pack(model), "net.tflite")
    assert [part.tensor.dtype for part in read.outputs] == [DType.BOOL, DType.INT64, DType.FLOAT32]
    # Wide elements lie first, so that all are aligned.
    assert [part.offset for part in read.outputs] == [16 * 8 + 16 * 4, 0, 16 * 8]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            set_tensor("flags_0", type=schema.TensorType.INT8),
            "(flags_0) works on flags_0, which is int8, expected bool",
        ),
        (set_tensor("low", shape=[1, 3, 1, 1]), "do not broadcast"),
        (set_quantisation("x", scale=[]), "works on x, which has no scale and zero point"),
        (set_operator(OR, inputs=[0, 0]), "works on x, which is int8, expected bool"),
        (set_operator(SELECT, inputs=[5, 0, 1]), "chooses between [1, 4, 4, 3] and [3]"),
        (set_operator(SELECT_V2, inputs=[0, 0, 1]), "works on x, which is int8, expected bool"),
        (set_operator(FLOOR_DIV, inputs=[0, 0]), "divides by x, which is no single constant; multiply by"),
        (set_tensor("places", type=schema.TensorType.FLOAT32), "gives float32, expected int32 or int64"),
        (set_tensor("places", shape=[1, 4, 3]), "should have the output shape [1, 4, 4]"),
    ],
)
def test_what_is_no_decision_is_told(change: Change, message: str) -> None:
    model = schema.ModelT.InitFromPackedBuf(tiny_logic(), 0)
    change(model)
    assert message in refusal(pack(model))


def test_an_axis_outside_is_told() -> None:
    net = Layers(0)
    x = net.activation([1, 4])
    net.operator("ARG_MIN", [x, net.constant("axis", 2)], net.tensor("y", [1], "int32"))
    assert "has the axis [2] for an input [1, 4]" in refusal(net.build(x, 2))


def test_floats_are_not_cast_to_codes() -> None:
    net = Layers(0)
    x = net.tensor("x", [1, 4], "float32")
    assert "turns float32 x into int32; use QUANTIZE" in refusal(
        net.build(x, net.operator("CAST", [x], net.tensor("y", [1, 4], "int32")))
    )


def test_an_input_of_wide_numbers_is_told() -> None:
    net = Layers(0)
    x = net.tensor("x", [1, 4], "int64")
    message = refusal(net.build(x, net.operator("CAST", [x], net.tensor("y", [1, 4], "int32"))))
    assert "the input x is int64; export it as int32, which inputs may be" in message


def test_two_constants_are_told() -> None:
    net = Layers(0)
    x = net.activation([1, 4])
    low = net.tensor("low", [1], "int8", 0.1, 0, 0, np.array([3]))
    flag = net.operator("LESS", [low, low], net.tensor("flag", [1], "bool"))
    chosen = net.operator("SELECT_V2", [flag, x, x], net.activation([1, 4], name="y"))
    assert "has constant inputs alone" in refusal(net.build(x, chosen))
