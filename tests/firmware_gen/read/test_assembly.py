# SPDX-License-Identifier: Apache-2.0
"""A graph has the tensors that anything uses, in the order of their first use."""

from __future__ import annotations

from dimmer.firmware_gen.read.tflite import parse_tflite
from tests.firmware_gen.networks import tiny_ends, tiny_state
from tests.firmware_gen.tflite_builder import Layers


def test_unused_tensors_are_left_out() -> None:
    net = Layers(0)
    net.activation([1, 9], name="unused")
    x = net.activation([1, 4], name="x")
    graph = parse_tflite(net.build(x, net.dense(x, 2)), "net.tflite")
    assert [tensor.name for tensor in graph.tensors][:2] == ["x", "weights_1"]
    assert "unused" not in {tensor.name for tensor in graph.tensors}
    assert (graph.input, graph.inputs, graph.outputs, graph.states) == (0, (), (), ())


def test_buffers_of_several_ends_are_tensors_of_their_own() -> None:
    graph = parse_tflite(tiny_ends(), "net.tflite")
    assert (graph.tensors[graph.input].name, graph.tensors[graph.output].name) == ("all inputs", "all outputs")
    assert [o.kind for o in graph.operators if o.kind in ("INPUT", "OUTPUT")] == ["INPUT", "INPUT", "OUTPUT"]


def test_states_have_their_place_in_the_graph() -> None:
    graph = parse_tflite(tiny_state(), "net.tflite")
    assert [graph.tensors[state.tensor].size for state in graph.states] == [18, 18]
