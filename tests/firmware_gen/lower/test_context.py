# SPDX-License-Identifier: Apache-2.0
"""An operator on its way to a step."""

from __future__ import annotations

from dimmer.firmware_gen.lower.context import Context
from dimmer.firmware_gen.lower.steps import Buffer
from dimmer.firmware_gen.read.tflite import parse_tflite
from tests.firmware_gen.networks import tiny_resnet


def test_a_context_knows_the_tensors_and_buffers_of_its_operator() -> None:
    graph = parse_tflite(tiny_resnet(), "net.tflite")
    add = graph.operators[3]
    context = Context(graph, add, lambda tensor: 100 + tensor)
    assert [tensor.name for tensor in context.inputs] == [graph.tensors[index].name for index in add.inputs]
    assert [context.at(0), context.at(1)] == [Buffer(100 + index) for index in add.inputs]
    assert context.out == Buffer(100 + add.output)
    assert context.layer == context.output.name == graph.tensors[add.output].name
    assert str(context.error("is odd")) == f"net.tflite: operator 3 ADD ({context.layer}) is odd"
