# SPDX-License-Identifier: Apache-2.0
"""A file of uint8 became one of int8, but for what CALL_ONCE gives its variables: they began 128 codes off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.firmware_gen.harness import Case, assert_exact, edge_inputs
from tests.firmware_gen.tflite_builder import TfliteBuilder, pack

SHAPE = (1, 4)


def counting(initial: int) -> bytes:
    net = TfliteBuilder()
    x, handle = net.tensor("x", SHAPE, "uint8", 0.1, 128), net.variable("sum")
    before = net.operator("READ_VARIABLE", [handle], net.tensor("before", SHAPE, "uint8", 0.1, 128))
    after = net.operator("ADD", [before, x], net.tensor("after", SHAPE, "uint8", 0.1, 128))
    net.operator("ASSIGN_VARIABLE", [handle, after], [])
    model = net.stateful([x], [after], {"sum": np.zeros(SHAPE)})
    value = model.subgraphs[1].tensors[0]
    value.type = schema.TensorType.UINT8
    model.buffers[value.buffer].data = np.full(SHAPE[1], initial, np.uint8)
    return pack(model)


@pytest.mark.parametrize("initial", [128, 0, 200])
def test_it_begins_as_the_file_says(initial: int, tmp_path: Path) -> None:
    path = tmp_path / f"counting_{initial}.tflite"
    path.write_bytes(counting(initial))
    assert_exact([Case(path.stem, path, edge_inputs(path, 10))], tmp_path)
