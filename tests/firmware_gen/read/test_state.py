# SPDX-License-Identifier: Apache-2.0
"""Variables that keep state between inferences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph.options import Assign
from dimmer.firmware_gen.graph.passes import prepare
from dimmer.firmware_gen.graph.types import Reshape
from dimmer.firmware_gen.read.tflite import parse_tflite
from tests.firmware_gen.networks import tiny_state
from tests.firmware_gen.read.damaged import Change, refusal
from tests.firmware_gen.tflite_builder import Layers, pack


def changed(change: Change) -> bytes:
    model = schema.ModelT.InitFromPackedBuf(tiny_state(), 0)
    change(model)
    return pack(model)


def test_a_variable_is_a_tensor_that_lasts() -> None:
    graph = parse_tflite(tiny_state(), "net.tflite")
    assert [graph.tensors[state.tensor].name for state in graph.states] == ["window", "other"]
    assert graph.states[0].initial == bytes([3]) * 18
    reads = [o for o in graph.operators if o.kind == "READ_VARIABLE"]
    assert [type(o.options) for o in reads] == [Reshape] * 3
    # What was assigned is read back, not the state.
    assert reads[2].inputs[0] not in {state.tensor for state in graph.states}
    assert [o.options for o in graph.operators[-2:]] == [Assign(), Assign()]


def test_all_reads_come_before_any_assignment() -> None:
    network = prepare(parse_tflite(tiny_state(), "net.tflite"))
    (operators,) = network.positions
    assert [isinstance(o.options, Assign) for o in operators] == [False] * (len(operators) - 2) + [True, True]


def operators_of(model: Any) -> Any:
    return model.subgraphs[0].operators


def other_kind(model: Any) -> None:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.ADD
    model.operatorCodes.append(code)
    model.subgraphs[1].operators[0].opcodeIndex = len(model.operatorCodes) - 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (other_kind, "2 subgraphs, a firmware runs one, and one that CALL_ONCE sets variables with"),
        (lambda model: operators_of(model).pop(0), "2 subgraphs, a firmware runs one"),
        (lambda model: model.subgraphs[1].operators.pop(), "to which CALL_ONCE gives no 18 bytes"),
        (lambda model: setattr(operators_of(model)[3], "inputs", [0]), "has a variable that no VAR_HANDLE made"),
        (lambda model: setattr(operators_of(model)[3], "inputs", []), "has other inputs and outputs than it should"),
    ],
)
def test_what_is_no_such_state_is_told(change: Change, message: str) -> None:
    assert message in refusal(changed(change))


def test_a_state_that_is_handed_on_as_it_is_is_told() -> None:
    net = Layers(0)
    x = net.activation([1, 4], 0.1, 0)
    handle = net.variable("kept")
    read = net.operator("READ_VARIABLE", [handle], net.activation([1, 4], 0.1, 0, "read"))
    net.operator("ASSIGN_VARIABLE", [handle, x], [])
    data = pack(net.stateful([x], [read], {"kept": np.zeros((1, 4))}))
    with pytest.raises(FirmwareGenError, match="the output read is a state as it is"):
        prepare(parse_tflite(data, "net.tflite"))
