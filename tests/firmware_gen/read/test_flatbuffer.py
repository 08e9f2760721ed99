# SPDX-License-Identifier: Apache-2.0
"""Bytes that are no file, half a file, or a file that lies about its lengths."""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from dimmer.firmware_gen.read.flatbuffer import RawTensor, kind_name, read_flatbuffer
from tests.firmware_gen.networks import tiny_mobile, tiny_resnet
from tests.firmware_gen.read.damaged import Change, changed, graph_of, refusal
from tests.firmware_gen.tflite_builder import TfliteBuilder


@pytest.mark.parametrize("data", [b"", b"TFL3", b"PK\x03\x04" * 100, bytes(5000)])
def test_files_of_another_kind(data: bytes) -> None:
    assert "not a .tflite file" in refusal(data)


def test_every_truncation_is_refused_or_harmless() -> None:
    whole = tiny_resnet()
    for size in range(0, len(whole), 37):
        refusal(whole[:size])


def two_subgraphs(model: Any) -> None:
    model.subgraphs = [graph_of(model), graph_of(model)]


def test_a_length_that_the_file_cannot_hold_costs_no_time() -> None:
    data = bytearray(tiny_mobile())
    at = data.index(np.array([1, 9, 9, 2], dtype="<i4").tobytes()) - 4
    data[at : at + 4] = b"\xff\xff\xff\x7f"
    assert "claims 2147483647 entries" in refusal(bytes(data))


CHANGES: list[tuple[Change, str]] = [
    (two_subgraphs, "2 subgraphs, a firmware runs one, and one that CALL_ONCE sets variables with"),
    (lambda model: setattr(model, "subgraphs", []), "it has no subgraph"),
    (lambda model: setattr(model, "version", 2), "schema version 2, which no interpreter reads"),
    (lambda model: setattr(graph_of(model).tensors[0], "buffer", 999), "x lies in buffer 999 of"),
    (lambda model: setattr(graph_of(model).operators[0], "opcodeIndex", 77), "operator 0 has operator code 77 of"),
]


@pytest.mark.parametrize(("change", "message"), CHANGES, ids=[message for _, message in CHANGES])
def test_what_a_changed_file_is_told(change: Change, message: str) -> None:
    assert message in refusal(changed(change))


def test_tensors_and_operators_are_read_as_they_stand() -> None:
    net = TfliteBuilder()
    x = net.tensor("x", [1, 2], "int8", [0.5, 0.25], 0, axis=1)
    beta = net.operator("SOFTMAX", [x], net.tensor("y", [1, 2], "uint8", data=np.array([1, 2])), beta=2.5)
    raw = read_flatbuffer(net.build(x, beta), "net.tflite")
    assert raw.tensors[0] == RawTensor(
        "x", (1, 2), schema.TensorType.INT8, None, (0.5, 0.25), (0, 0), 1, variable=False, sparse=None
    )
    assert raw.tensors[1].data == b"\1\2"
    (softmax,) = raw.operators
    assert (softmax.kind, softmax.options, softmax.inputs, softmax.outputs) == ("SOFTMAX", {"Beta": 2.5}, (0,), (1,))
    assert (raw.inputs, raw.outputs) == ((0,), (1,))


def test_an_operator_code_that_nobody_knows_keeps_its_number() -> None:
    assert (kind_name(schema.BuiltinOperator.ADD), kind_name(99999)) == ("ADD", "operator code 99999")


def shared_shape(tensors: int, length: int) -> bytes:
    """A file of tensors whose shape is one and the same long list."""
    builder = flatbuffers.Builder(1024)
    schema.TensorStartShapeVector(builder, length)
    for _ in range(length):
        builder.PrependInt32(1000)
    shape = builder.EndVector()
    schema.TensorStart(builder)
    schema.TensorAddShape(builder, shape)
    schema.TensorAddType(builder, schema.TensorType.INT8)
    tensor = schema.TensorEnd(builder)
    schema.SubGraphStartTensorsVector(builder, tensors)
    for _ in range(tensors):
        builder.PrependUOffsetTRelative(tensor)
    listed = builder.EndVector()
    schema.SubGraphStart(builder)
    schema.SubGraphAddTensors(builder, listed)
    graph = schema.SubGraphEnd(builder)
    schema.ModelStartSubgraphsVector(builder, 1)
    builder.PrependUOffsetTRelative(graph)
    graphs = builder.EndVector()
    schema.ModelStart(builder)
    schema.ModelAddVersion(builder, 3)
    schema.ModelAddSubgraphs(builder, graphs)
    builder.Finish(schema.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())


def test_a_list_that_all_tensors_share_costs_no_memory() -> None:
    """It was unpacked anew for each: 83 KB took 43 s and 645 MiB."""
    message = refusal(shared_shape(800, 20_000))
    assert "its lists claim more than 16 times the file's own bytes" in message
