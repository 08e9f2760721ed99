# SPDX-License-Identifier: Apache-2.0
"""Weights of all modes lie in one file, equal ones once, in the order in which dot products read them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dimmer.firmware_gen.graph.types import Graph
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.tvm.dot import PLAIN
from dimmer.pipeline.tvm.weights import ALIGN, Weights, packed_weights
from tests.firmware_gen.tflite_builder import Layers

DOT = replace(PLAIN, inputs=4, outputs=8)


def test_equal_weights_are_there_once_and_each_is_aligned(tmp_path: Path) -> None:
    weights = Weights()
    first, second = np.arange(6, dtype=np.int8), np.arange(100, dtype=np.int32)
    assert weights.add("a", first) == 0
    assert weights.add("b", second) == 1
    assert weights.add("again", first.copy()) == 0
    assert weights.add("of another shape", first.reshape(2, 3)) == 2
    weights.write(tmp_path)
    entries, blob = json.loads((tmp_path / "weights.json").read_text()), (tmp_path / "weights.bin").read_bytes()
    assert [entry["name"] for entry in entries] == ["a", "b", "of another shape"]
    assert [entry["offset"] % ALIGN for entry in entries] == [0, 0, 0]
    for entry, content in zip(entries, (first.tobytes(), second.tobytes(), first.tobytes()), strict=True):
        assert blob[entry["offset"] : entry["offset"] + entry["size"]] == content


def graph_of(kind: str, path: Path) -> Graph:
    net = Layers(3)
    x = net.activation([1, 5, 5, 6])
    y = {
        "convolution": lambda: net.conv(x, 10),
        "depthwise": lambda: net.depthwise(x, 2),
        "dense": lambda: net.dense(net.reshape(x, [1, 150]), 10),
    }[kind]()
    path.write_bytes(net.build(x, y))
    return read_tflite(path)


@pytest.mark.parametrize(
    ("kind", "shape"), [("convolution", (3, 3, 2, 16, 4)), ("depthwise", (3, 3, 12)), ("dense", (1, 1, 38, 16, 4))]
)
def test_weights_are_filled_up_to_whole_steps(kind: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    graph = graph_of(kind, tmp_path / "network.tflite")
    operator = graph.operators[-1]
    tensor = graph.tensors[operator.inputs[1]]
    values = np.frombuffer(tensor.data or b"", np.int8).reshape(tensor.shape)
    packed = packed_weights(graph, operator, DOT)
    assert packed.shape == shape
    assert int(np.abs(packed.astype(int)).sum()) == int(np.abs(values.astype(int)).sum())
    if kind == "convolution":
        # Output 9, input 5: the second group of four inputs, its second lane.
        assert (packed[:, :, 1, 9, 1] == values[9, :, :, 5]).all()
        assert not packed[:, :, 1, :, 2:].any()
        assert not packed[:, :, :, 10:].any()
    elif kind == "dense":
        assert (packed[0, 0, :, 9, :].reshape(-1)[:150] == values[9]).all()
    else:
        assert (packed == values[0]).all()
