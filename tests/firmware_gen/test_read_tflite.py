"""The reader: what it takes, and what it says about the rest. Every message names file, place and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph.types import Add, Conv2d, DType, Padding
from dimmer.firmware_gen.read.tflite import parse_tflite, read_tflite
from tests.firmware_gen.networks import tiny_mix, tiny_mobile, tiny_resnet
from tests.firmware_gen.tflite_builder import Layers, TfliteBuilder, pack


def refusal(data: bytes) -> str:
    with pytest.raises(FirmwareGenError) as caught:
        parse_tflite(data, "net.tflite")
    message = str(caught.value)
    assert message.startswith("net.tflite: ")
    assert "\n" not in message
    return message


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


@pytest.mark.parametrize("data", [b"", b"TFL3", b"PK\x03\x04" * 100, bytes(5000)])
def test_files_of_another_kind(data: bytes) -> None:
    assert "not a .tflite file" in refusal(data)


def test_every_truncation_is_refused_or_harmless() -> None:
    whole = tiny_resnet()
    for size in range(0, len(whole), 37):
        refusal(whole[:size])


def single(kind: str, **options: Any) -> bytes:
    net = Layers(0)
    x = net.activation([1, 4, 4, 2])
    return net.build(x, net.operator(kind, [x], net.activation([1, 4, 4, 2], name="y"), **options))


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        ("HARD_SWISH", "train with RELU6"),
        ("TANH", "use LOGISTIC"),
        ("CUSTOM", "built-in operators"),
        ("ABS", "build that part"),
    ],
)
def test_unsupported_operators_are_named_with_what_would_do(kind: str, advice: str) -> None:
    message = refusal(single(kind))
    assert f"operator 0 {kind} (y) is not supported" in message
    assert advice in message


Change = Callable[[Any], None]


def graph_of(model: Any) -> Any:
    return model.subgraphs[0]


def set_tensor(name: str, **fields: Any) -> Change:
    def change(model: Any) -> None:
        for tensor in graph_of(model).tensors:
            if tensor.name == name or tensor.name == name.encode():
                for field, value in fields.items():
                    setattr(tensor, field, value)

    return change


def set_quantisation(name: str, **fields: Any) -> Change:
    def change(model: Any) -> None:
        for tensor in graph_of(model).tensors:
            if tensor.name == name.encode():
                for field, value in fields.items():
                    setattr(tensor.quantization, field, value)

    return change


def set_operator(index: int, **fields: Any) -> Change:
    def change(model: Any) -> None:
        operator = graph_of(model).operators[index]
        for field, value in fields.items():
            owner = operator if hasattr(operator, field) else operator.builtinOptions
            setattr(owner, field, value)

    return change


def shorten_buffer(model: Any) -> None:
    longest = max(model.buffers, key=lambda buffer: 0 if buffer.data is None else len(buffer.data))
    longest.data = longest.data[:-1]


def swap_operators(model: Any) -> None:
    operators = graph_of(model).operators
    operators[1], operators[2] = operators[2], operators[1]


def two_inputs(model: Any) -> None:
    graph_of(model).inputs = [0, 1]


def two_subgraphs(model: Any) -> None:
    model.subgraphs = [graph_of(model), graph_of(model)]


TYPE = schema.TensorType
CHANGES: list[tuple[Change, str]] = [
    (set_tensor("weights_1", type=TYPE.INT4), "its buffer has"),
    (set_tensor("x", type=TYPE.INT4), "tensor x is INT4: only the weights of convolutions and FULLY_CONNECTED can be"),
    (set_tensor("x", type=TYPE.INT16), "tensor x is INT16: quantise activations to int8"),
    (set_tensor("x", shape=[2, 8, 8, 3]), "needs an input [1,height,width,channels]"),
    (set_tensor("x", shape=[1, -1, 8, 3]), "has shape [1, -1, 8, 3]"),
    (set_tensor("x", shape=[1, 60000, 60000, 3]), "more than the"),
    (set_tensor("x", shape=[1, 9, 8, 3]), "should have the output shape [1, 9, 8, 4], the file says [1, 8, 8, 4]"),
    (set_tensor("x", isVariable=True), "tensor x keeps state between inferences"),
    (set_tensor("x", quantization=None), "x, which has no scale and zero point"),
    (set_quantisation("x", scale=[0.0]), "has a scale that is not a positive number"),
    (set_quantisation("x", scale=[float("nan")]), "has a scale that is not a positive number"),
    (set_quantisation("x", zeroPoint=[128]), "zero point outside -128..127"),
    (set_quantisation("x", zeroPoint=[0, 0]), "1 scales and 2 zero points"),
    (
        set_quantisation("x", scale=[0.1, 0.1, 0.1], zeroPoint=[0, 0, 0], quantizedDimension=3),
        "quantise activations per tensor",
    ),
    (set_quantisation("weights_1", zeroPoint=[1, 0, 0, 0]), "zero point other than 0; quantise weights symmetrically"),
    (set_quantisation("weights_1", quantizedDimension=1), "4 scales, which dimension 1 of [4, 3, 3, 3] does not"),
    (set_operator(0, strideH=0), "has StrideH = 0, expected 1 to 255"),
    (set_operator(0, padding=7), "has Padding = 7"),
    (set_operator(0, fusedActivationFunction=4), "has the fused activation 4, which is not supported"),
    (set_operator(0, builtinOptions=None, builtinOptionsType=0), "has no options"),
    (set_operator(0, inputs=[0]), "has 1 inputs, expected 2 to 3"),
    (set_operator(0, inputs=[0, 99, 2]), "an operator names tensor 99 of"),
    (set_operator(0, outputs=[0]), "should have the output shape"),
    (set_operator(1, outputs=[3]), "which already has a value"),
    (set_operator(7, beta=float("nan")), "has beta = nan"),
    (shorten_buffer, "its buffer has"),
    (swap_operators, "before any operator has written it"),
    (two_inputs, "2 inputs, the firmware has one"),
    (two_subgraphs, "2 subgraphs, expected one"),
]


@pytest.mark.parametrize(("change", "message"), CHANGES, ids=[message for _, message in CHANGES])
def test_what_a_changed_file_is_told(change: Change, message: str) -> None:
    model = schema.ModelT.InitFromPackedBuf(tiny_resnet(), 0)
    change(model)
    assert re.search(re.escape(message), refusal(pack(model)))


def test_weights_must_be_constant() -> None:
    net = Layers(0)
    x = net.activation([4, 3, 3, 4])
    y = net.operator("CONV_2D", [x, x], net.activation([1, 3, 3, 4], name="y"), strideH=1, strideW=1)
    assert "batch 1" in refusal(net.build(x, y))


def test_grouped_convolutions_are_refused() -> None:
    net = Layers(0)
    x = net.activation([1, 4, 4, 4])
    weights = net.weights([4, 1, 1, 2], 0)
    y = net.operator("CONV_2D", [x, weights], net.activation([1, 4, 4, 4], name="y"), strideH=1, strideW=1)
    assert "grouped convolutions are not supported, use DEPTHWISE_CONV_2D" in refusal(net.build(x, y))


def test_a_length_that_the_file_cannot_hold_costs_no_time() -> None:
    data = bytearray(tiny_mobile())
    at = data.index(np.array([1, 9, 9, 2], dtype="<i4").tobytes()) - 4
    data[at : at + 4] = b"\xff\xff\xff\x7f"
    assert "claims 2147483647 entries" in refusal(bytes(data))


def test_int64_parameters_are_read() -> None:
    net = Layers(0)
    x = net.activation([1, 4, 4, 2])
    output = net.activation([1, 2], net.scale_of(x), name="y")
    y = net.operator("MEAN", [x, net.constant("axes", [1, 2], "int64")], output, keepDims=False)
    assert parse_tflite(net.build(x, y), "net.tflite").operators[0].kind == "MEAN"


def test_a_model_without_operators_is_read() -> None:
    net = TfliteBuilder()
    x = net.tensor("x", [1, 5], "int8", 0.1)
    assert parse_tflite(net.build(x, x), "net.tflite").operators == ()
