# SPDX-License-Identifier: Apache-2.0
"""Layers that keep something: what is read, and what is told of others."""

from __future__ import annotations

from typing import Any

import pytest
from ai_edge_litert import schema_py_generated as schema

from dimmer.firmware_gen.graph.options import Lstm, Svdf
from dimmer.firmware_gen.read.tflite import parse_tflite
from tests.firmware_gen.move_cases import Build
from tests.firmware_gen.read.damaged import Change, refusal
from tests.firmware_gen.recurrent_cases import lstm, svdf
from tests.firmware_gen.tflite_builder import Layers, pack


def made(build: Build, change: Change) -> bytes:
    net = Layers(0)
    model = net.model(*([end] for end in build(net)))
    change(model)
    return pack(model)


def test_states_are_tensors_that_last() -> None:
    graph = parse_tflite(made(lstm, lambda model: None), "net.tflite")
    (operator,) = graph.operators
    assert isinstance(operator.options, Lstm)
    assert [graph.tensors[state.tensor].name for state in graph.states] == ["h", "c"]
    zero_point = graph.tensors[graph.states[0].tensor].q.zero_point
    assert {*graph.states[0].initial} == {zero_point & 0xFF}
    assert not any(graph.states[1].initial)
    graph = parse_tflite(made(svdf, lambda model: None), "net.tflite")
    assert isinstance(graph.operators[0].options, Svdf)
    assert len(graph.states) == 1


def one(model: Any) -> Any:
    return model.subgraphs[0].operators[0]


def tensor(model: Any, place: int) -> Any:
    return model.subgraphs[0].tensors[one(model).inputs[place]]


def replaced(place: int, value: int) -> Change:
    return lambda model: one(model).inputs.__setitem__(place, value)


@pytest.mark.parametrize(
    ("build", "change", "message"),
    [
        (lstm, replaced(9, 1), "has peepholes, which no kernel computes; use a plain LSTM"),
        (lstm, replaced(16, 1), "has a projection, which no kernel computes"),
        (lstm, replaced(1, -1), "has no input gate, which no kernel computes"),
        (lstm, lambda model: one(model).inputs.pop(), "inputs, expected 20 or 24"),
        (lstm, lambda model: setattr(one(model), "intermediates", []), "does not say how its output is quantised"),
        (lstm, lambda model: setattr(one(model).builtinOptions, "projClip", 1.0), "cuts a projection"),
        (lstm, lambda model: setattr(tensor(model, 19), "isVariable", False), "that are variable"),
        (lstm, lambda model: tensor(model, 19).quantization.scale.__setitem__(0, 0.3), "expected a power of two"),
        (lstm, lambda model: tensor(model, 2).shape.__setitem__(0, 1), "buffer has"),
        (svdf, lambda model: setattr(one(model).builtinOptions, "rank", 77), "filters of rank 77"),
        (svdf, lambda model: setattr(tensor(model, 2), "type", schema.TensorType.INT8), "buffer has"),
        (svdf, replaced(2, 1), "expected"),
        (svdf, lambda model: setattr(one(model).builtinOptions, "fusedActivationFunction", 0), "activation than RELU"),
        (svdf, lambda model: setattr(tensor(model, 4), "isVariable", False), "that are variable"),
    ],
)
def test_what_is_no_such_layer_is_told(build: Build, change: Change, message: str) -> None:
    assert message in refusal(made(build, change))


def test_nobody_else_may_keep_state() -> None:
    net = Layers(0)
    x = net.activation([1, 4], 0.1, 0)
    kept = net.state("kept", [1, 4], "int8", 0.1)
    assert "which keeps state between inferences; only LSTM and SVDF may" in refusal(
        net.build(x, net.elementwise("ADD", x, kept))
    )
    net = Layers(0)
    x = net.activation([1, 4], 0.1, 0)
    kept = net.state("kept", [1, 4], "int8", 0.1)
    assert "which already has a value" in refusal(net.build(x, net.operator("RELU", [x], kept)))
