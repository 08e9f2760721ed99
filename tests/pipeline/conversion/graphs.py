# SPDX-License-Identifier: Apache-2.0
"""A small ONNX graph."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto, helper


def write_graph(path: Path, name: str) -> Path:
    """Y = relu(x + (1 + 1)), in which one sum is of constants."""
    one = helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0])
    nodes = [
        helper.make_node("Add", ["one", "one"], ["two"]),
        helper.make_node("Add", ["x", "two"], ["sum"]),
        helper.make_node("Relu", ["sum"], ["y"]),
    ]
    x, y = (helper.make_tensor_value_info(tensor, TensorProto.FLOAT, [1, 4]) for tensor in "xy")
    model = helper.make_model(
        helper.make_graph(nodes, name, [x], [y], [one]), opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    onnx.save(model, path)
    return path
