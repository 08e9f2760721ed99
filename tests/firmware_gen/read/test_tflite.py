# SPDX-License-Identifier: Apache-2.0
"""The reader: what it takes, and what it says about the rest. Every message names file, place and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph.options import Join, Unjoin
from dimmer.firmware_gen.graph.types import Add, Conv2d, DType, Padding
from dimmer.firmware_gen.read.tflite import Refusal, parse_tflite, read_tflite, survey_tflite
from tests.firmware_gen.networks import tiny_ends, tiny_mix, tiny_resnet
from tests.firmware_gen.read.damaged import (
    Change,
    changed,
    graph_of,
    refusal,
    set_operator,
    set_quantisation,
    set_tensor,
)
from tests.firmware_gen.tflite_builder import Layers, TfliteBuilder, pack


def test_a_network_is_read_in_order() -> None:
    graph = parse_tflite(tiny_resnet(), "net.tflite")
    kinds = [operator.kind for operator in graph.operators]
    assert kinds == [
        *("CONV_2D", "CONV_2D", "CONV_2D", "ADD"),
        *("AVERAGE_POOL_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX"),
    ]
    stem, add = graph.operators[0].options, graph.operators[3].options
    assert isinstance(stem, Conv2d)
    assert isinstance(add, Add)
    assert stem.window.padding == Padding(1, 1, 1, 1)
    assert graph.tensors[graph.input].shape == (1, 8, 8, 3)
    assert graph.tensors[graph.operators[0].inputs[1]].q.per_channel


def test_unused_tensors_are_not_looked_at() -> None:
    net = Layers(0)
    x = net.activation([1, 4, 4, 2])
    net.tensor("unused", [0, -7], "float32")
    y = net.conv(x, 3)
    assert len(parse_tflite(net.build(x, y), "net.tflite").tensors) == 4


def test_float_ends() -> None:
    graph = parse_tflite(tiny_mix(), "net.tflite")
    assert graph.tensors[graph.input].dtype is graph.tensors[graph.output].dtype is DType.FLOAT32


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FirmwareGenError, match=r"nothing\.tflite: cannot be read \(No such file or directory\); check"):
        read_tflite(tmp_path / "nothing.tflite")


def shorten_buffer(model: Any) -> None:
    longest = max(model.buffers, key=lambda buffer: 0 if buffer.data is None else len(buffer.data))
    longest.data = longest.data[:-1]


def swap_operators(model: Any) -> None:
    operators = graph_of(model).operators
    operators[1], operators[2] = operators[2], operators[1]


def constant_input(model: Any) -> None:
    graph_of(model).inputs = [0, 1]


TYPE = schema.TensorType
CHANGES: list[tuple[Change, str]] = [
    (set_tensor("weights_1", type=TYPE.INT4), "its buffer has"),
    (set_tensor("x", type=TYPE.INT4), "tensor x is INT4: only the weights of convolutions and FULLY_CONNECTED can be"),
    (set_tensor("x", type=TYPE.INT16), "mixes int16 x and int8"),
    (set_tensor("x", shape=[1, -1, 8, 3]), "has shape [1, -1, 8, 3]"),
    (set_tensor("x", shape=[1, 60000, 60000, 3]), "more than the"),
    (set_tensor("x", isVariable=True), "reads x, which keeps state between inferences; only LSTM and SVDF may"),
    (set_quantisation("x", scale=[0.0]), "has a scale that is not a positive number"),
    (set_quantisation("x", scale=[float("nan")]), "has a scale that is not a positive number"),
    (set_quantisation("x", zeroPoint=[128]), "zero point outside -128..127"),
    (set_quantisation("x", zeroPoint=[0, 0]), "1 scales and 2 zero points"),
    (
        set_quantisation("x", scale=[0.1, 0.1, 0.1], zeroPoint=[0, 0, 0], quantizedDimension=3),
        "quantise activations per tensor",
    ),
    (set_quantisation("weights_1", quantizedDimension=1), "4 scales, which dimension 1 of [4, 3, 3, 3] does not"),
    (set_operator(0, inputs=[0, 99, 2]), "an operator names tensor 99 of"),
    (set_operator(1, outputs=[3]), "which already has a value"),
    (shorten_buffer, "its buffer has"),
    (swap_operators, "before any operator has written it"),
    (constant_input, "the input weights_1 is a constant"),
    (lambda model: setattr(graph_of(model), "inputs", []), "0 inputs, 1 to 32 can be"),
    (lambda model: setattr(graph_of(model), "inputs", [0, 0]), "has one tensor as two of its inputs"),
]


@pytest.mark.parametrize(("change", "message"), CHANGES, ids=[message for _, message in CHANGES])
def test_what_a_changed_file_is_told(change: Change, message: str) -> None:
    assert message in refusal(changed(change))


def test_int64_parameters_are_read() -> None:
    net = Layers(0)
    x = net.activation([1, 4, 4, 2])
    output = net.activation([1, 2], net.scale_of(x), name="y")
    y = net.operator("MEAN", [x, net.constant("axes", [1, 2], "int64")], output, keepDims=False)
    assert parse_tflite(net.build(x, y), "net.tflite").operators[0].kind == "MEAN"
    indexes = net.constant("indexes", np.zeros((1, 2, 1, 1), np.int64), "int64")
    flat = net.same("RESHAPE", x, [32], [net.constant("shape", [32])])
    y = net.same("GATHER", flat, [1, 2, 1, 1], [indexes], axis=0)
    assert parse_tflite(net.build(x, y), "net.tflite").operators[-1].kind == "GATHER"


def test_a_model_without_operators_is_read() -> None:
    net = TfliteBuilder()
    x = net.tensor("x", [1, 5], "int8", 0.1)
    assert parse_tflite(net.build(x, x), "net.tflite").operators == ()


def test_a_survey_names_all_that_is_refused() -> None:
    net = Layers(0)
    x = net.activation([1, 4, 4, 2])
    y = x
    for kind in ("FLOOR", "ELU", "RELU6"):
        y = net.same(kind, y, [1, 4, 4, 2])
    data = net.build(x, net.elementwise("DIV", y, y))
    raw, graph, refused = survey_tflite(data, "net.tflite")
    assert [operator.kind for operator in raw.operators] == ["FLOOR", "ELU", "RELU6", "DIV"]
    assert graph is None
    assert [refusal.operator for refusal in refused] == [0, 1, 3]
    with pytest.raises(FirmwareGenError) as caught:
        parse_tflite(data, "net.tflite")
    assert str(caught.value) == refused[0].message


def test_a_survey_of_the_file_as_a_whole() -> None:
    raw, graph, refused = survey_tflite(changed(constant_input), "net.tflite")
    assert graph is None
    assert len(raw.inputs) == 2
    assert Refusal(None, refused[0].message) == refused[0]
    assert "the input weights_1 is a constant" in refused[0].message
    data = tiny_resnet()
    assert survey_tflite(data, "net.tflite")[1:] == (parse_tflite(data, "net.tflite"), ())


@pytest.mark.parametrize("seed", range(6))
def test_a_survey_begins_with_what_reading_raises(seed: int) -> None:
    """On files with many broken tensors."""
    random = np.random.default_rng(seed)

    def break_tensors(model: Any) -> None:
        for tensor in random.choice(model.subgraphs[0].tensors, 4, replace=False):
            tensor.type = random.choice([schema.TensorType.INT16, schema.TensorType.FLOAT16, schema.TensorType.BOOL])

    data = changed(break_tensors)
    with pytest.raises(FirmwareGenError) as caught:
        parse_tflite(data, "net.tflite")
    refused = survey_tflite(data, "net.tflite")[2]
    assert refused[0].message == str(caught.value)
    assert len({refusal.message for refusal in refused}) == len(refused)


def test_several_inputs_and_outputs_lie_in_one_buffer_wide_elements_first() -> None:
    graph = parse_tflite(tiny_ends(), "net.tflite")
    assert [(part.tensor.name, part.offset) for part in graph.inputs] == [("image", 0), ("context", 48)]
    assert [(part.tensor.size, part.offset) for part in graph.outputs] == [(48, 12), (12, 0), (48, 60), (48, 108)]
    assert [graph.tensors[end].size for end in (graph.input, graph.output)] == [60, 156]
    assert [operator.options for operator in graph.operators[:2]] == [Unjoin(0), Unjoin(48)]
    assert graph.operators[-1].options == Join((12, 0, 60, 108))


@pytest.mark.parametrize("dtype", ["int32", "bool"])
def test_inputs_may_be_whole_numbers_and_bool(dtype: str) -> None:
    net = Layers(0)
    x = net.tensor("numbers", [1, 4], dtype)
    graph = parse_tflite(net.build(x, net.operator("CAST", [x], net.tensor("y", [1, 4], "float32"))), "net.tflite")
    assert graph.tensors[graph.input].dtype.value == dtype


def test_inputs_of_int64_are_told() -> None:
    net = Layers(0)
    x = net.tensor("numbers", [1, 4], "int64")
    message = refusal(net.build(x, net.operator("CAST", [x], net.tensor("y", [1, 4], "float32"))))
    assert message.endswith("the input numbers is int64; export it as int32, which inputs may be")


def test_arithmetic_of_whole_numbers_is_told() -> None:
    net = Layers(0)
    x = net.tensor("numbers", [1, 4], "int32")
    message = refusal(net.build(x, net.operator("ADD", [x, x], net.tensor("y", [1, 4], "int32"))))
    assert "operator 0 ADD (y) works on y, which is int32" in message


@pytest.mark.parametrize("dtype", ["int32", "int64", "float32"])
def test_outputs_may_be_whole_numbers(dtype: str) -> None:
    net = Layers(0)
    x = net.activation([1, 4])
    graph = parse_tflite(net.build(x, net.operator("CAST", [x], net.tensor("y", [1, 4], dtype))), "net.tflite")
    assert graph.tensors[graph.output].dtype.value == dtype


def test_a_float_tail_is_told_where_to_end_the_file() -> None:
    net = Layers(0)
    dense = net.dense(net.activation([1, 4]), 3)
    real = net.operator("DEQUANTIZE", [dense], net.tensor("real", [1, 3], "float32"))
    message = refusal(net.build(0, net.operator("SOFTMAX", [real], net.tensor("y", [1, 3], "float32"), beta=1.0)))
    assert "operator 2 SOFTMAX (y) works on real, which is float32; quantise the network to int8, or end" in message


def test_constants_behind_the_tables_are_read() -> None:
    data = tiny_resnet()
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    packed, kept = b"", []
    for buffer in model.buffers:
        if buffer.data is not None and len(buffer.data):
            kept.append((buffer, bytes(bytearray(buffer.data))))
            buffer.data, buffer.offset, buffer.size = None, 2, len(kept[-1][1])
    start = len(pack(model))
    for buffer, content in kept:
        buffer.offset = start + len(packed)
        packed += content
    behind = pack(model)
    assert len(behind) == start
    assert parse_tflite(behind + packed, "net.tflite") == parse_tflite(data, "net.tflite")
