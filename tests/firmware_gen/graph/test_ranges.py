# SPDX-License-Identifier: Apache-2.0
"""Codes that a tensor can hold, against what the stock interpreter makes of every input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dimmer.firmware_gen.graph.ranges import code_range
from dimmer.firmware_gen.read.tflite import read_tflite
from tests.firmware_gen.narrow_network import CLIP, STEPS
from tests.firmware_gen.runtime.one_op import reference
from tests.firmware_gen.tflite_builder import Layers, activation_code


def narrowed(bits: int, scale: float, zero_point: int, clamped: bool) -> tuple[bytes, str]:
    """All codes, clamped or not, then QUANTIZE to the grid of `bits` bits."""
    net = Layers(0)
    x = net.activation([1, 1, 1, 256], scale, zero_point)
    y = x
    if clamped:
        zeros = net.tensor("zeros", [1, 1, 1, 256], "int8", scale, zero_point, 0, np.full((1, 1, 1, 256), zero_point))
        y = net.activation([1, 1, 1, 256], scale, zero_point, "clamped")
        net.operator("ADD", [x, zeros], y, fusedActivationFunction=activation_code("RELU6"))
    narrow = net.tensor("narrow", [1, 1, 1, 256], "int8", CLIP / STEPS[bits], -128)
    return net.build(x, net.operator("QUANTIZE", [y], narrow)), "narrow"


@pytest.mark.parametrize("bits", [4, 2])
@pytest.mark.parametrize(
    ("scale", "zero_point", "clamped"),
    [(6 / 255, -128, False), (6 / 255, -128, True), (0.05, -128, True), (0.05, -128, False), (0.1, 7, True)],
)
def test_a_quantize_keeps_its_range(tmp_path: Path, bits: int, scale: float, zero_point: int, clamped: bool) -> None:
    content, name = narrowed(bits, scale, zero_point, clamped)
    (tmp_path / "net.tflite").write_bytes(content)
    graph = read_tflite(tmp_path / "net.tflite")
    index = next(i for i, tensor in enumerate(graph.tensors) if tensor.name == name)
    codes = reference(content, np.arange(-128, 128, dtype=np.int8).reshape(1, 1, 1, 256))
    assert code_range(graph, index) == (codes.min(), codes.max())
    assert (codes.max() <= STEPS[bits] - 128) == (clamped or scale * 255 <= CLIP)


def test_the_input_may_hold_every_code(tmp_path: Path) -> None:
    content, _ = narrowed(4, 0.05, -128, clamped=False)
    (tmp_path / "net.tflite").write_bytes(content)
    graph = read_tflite(tmp_path / "net.tflite")
    assert code_range(graph, graph.input) == (-128, 127)
