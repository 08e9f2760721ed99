# SPDX-License-Identifier: Apache-2.0
"""Weights of 4 bits become 8, with the same codes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from dimmer.errors import DimmerError
from dimmer.pipeline.conversion.npu.widen import nibbles, widened
from dimmer.pipeline.oracle.interpreter import reference_outputs
from dimmer.pipeline.oracle.tflite import pack, unpack
from tests.firmware_gen.tflite_builder import Layers


def with_weights_of(bits: str, version: int = 7) -> bytes:
    net = Layers(1)
    x = net.activation([1, 4, 4, 2])
    y = net.conv(x, 3)
    model = unpack(net.build(x, y))
    (weights,) = [tensor for tensor in model.subgraphs[0].tensors if tensor.name.startswith(b"weights")]
    codes = np.random.default_rng(1).integers(-7, 8, int(np.prod(weights.shape))).astype(np.int8)
    pairs = codes.reshape(-1, 2).astype(np.uint8) & 15
    model.buffers[weights.buffer].data = pairs[:, 0] | pairs[:, 1] << 4
    weights.type = getattr(schema.TensorType, bits)
    model.operatorCodes[0].version = version
    return pack(model)


def test_the_interpreter_gives_the_same(tmp_path: Path) -> None:
    narrow, wide = tmp_path / "narrow.tflite", tmp_path / "wide.tflite"
    narrow.write_bytes(with_weights_of("INT4"))
    wide.write_bytes(widened(narrow.read_bytes()))
    assert all(tensor.type != schema.TensorType.INT4 for tensor in unpack(wide.read_bytes()).subgraphs[0].tensors)
    inputs = np.random.default_rng(2).integers(-128, 128, (5, 32)).astype(np.int8).tobytes()
    assert reference_outputs(narrow, inputs) == reference_outputs(wide, inputs)


def test_what_has_8_bits_stays_as_it_is() -> None:
    net = Layers(1)
    x = net.activation([1, 4, 4, 2])
    content = net.build(x, net.conv(x, 3))
    assert widened(content) is content


@pytest.mark.skipif(not hasattr(schema.TensorType, "INT2"), reason="this schema has no INT2")
def test_2_bits_are_refused() -> None:
    with pytest.raises(DimmerError, match="2 bits"):
        widened(with_weights_of("INT2"))


def test_nibbles() -> None:
    assert nibbles(np.array([0x87, 0x0F], np.uint8), 3).tolist() == [7, -8, -1]
