# SPDX-License-Identifier: Apache-2.0
"""A batch of any size: the shape of a RESHAPE is computed in the file, and is a constant when the batch is 1."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.read.tflite import parse_tflite
from tests.firmware_gen.harness import Case, assert_exact, edge_inputs
from tests.firmware_gen.tflite_builder import Layers


def open_batch(begin: int = 0) -> bytes:
    """Convolution, RESHAPE to [shape(x)[begin], 1, 48] as Keras' layer writes it, fully connected."""
    net = Layers(11)
    x = net.activation([1, 4, 4, 2])
    y = net.conv(x, 3)
    shape = net.operator("SHAPE", [y], net.tensor("shape", [4], "int32"), outType=schema.TensorType.INT32)
    corners = [net.constant(name, [value]) for name, value in (("begin", begin), ("end", begin + 1), ("step", 1))]
    batch = net.operator("STRIDED_SLICE", [shape, *corners], net.tensor("batch", [], "int32"), shrinkAxisMask=1)
    sizes = [net.constant(f"size_{size}", np.array(size)) for size in (1, 48)]
    wanted = net.operator("PACK", [batch, *sizes], net.tensor("wanted", [3], "int32"), axis=0, valuesCount=3)
    flat = net.same("RESHAPE", y, [1, 1, 48], [wanted])
    return net.build(x, net.dense(flat, 5))


@pytest.mark.slow
def test_computed_shapes_are_constants(tmp_path: Path) -> None:
    graph = parse_tflite(open_batch(), "open")
    assert [operator.kind for operator in graph.operators] == ["CONV_2D", "RESHAPE", "FULLY_CONNECTED"]
    path = tmp_path / "open.tflite"
    path.write_bytes(open_batch())
    assert_exact([Case("open", path, edge_inputs(path, 10))], tmp_path)


def test_a_computed_shape_that_contradicts_the_file_is_refused() -> None:
    with pytest.raises(FirmwareGenError, match=r"makes \[4, 1, 48\] by its parameter, \[1, 1, 48\] by its output"):
        parse_tflite(open_batch(begin=1), "open")
