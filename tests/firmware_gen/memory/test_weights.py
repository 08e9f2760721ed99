# SPDX-License-Identifier: Apache-2.0
"""Whether modes read the same weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph.types import Conv2d, Graph
from dimmer.firmware_gen.memory.weights import check_shared_weights, compare_weights
from dimmer.firmware_gen.read.tflite import read_tflite
from tests.firmware_gen.modes import write_modes


def changed(graph: Graph, layer: str, data: bytes, shape: tuple[int, ...] | None = None) -> Graph:
    """The graph with other weights in the convolution that makes `layer`."""
    (place,) = [
        operator.inputs[1]
        for operator in graph.operators
        if isinstance(operator.options, Conv2d) and graph.tensors[operator.output].name == layer
    ]
    tensors = list(graph.tensors)
    tensors[place] = replace(tensors[place], data=data, shape=shape or tensors[place].shape)
    return replace(graph, tensors=tuple(tensors))


def test_shared_weights_pass(tmp_path: Path) -> None:
    check_shared_weights({mode.name: mode.path for mode in write_modes(tmp_path)})


@pytest.fixture
def graph(tmp_path: Path) -> Graph:
    return read_tflite(write_modes(tmp_path)[0].path)


def test_a_layer_that_differs_is_named_with_the_nearest_one(graph: Graph) -> None:
    compare_weights([graph, graph])
    data = next(t.data for t in graph.tensors if t.shape == (8, 3, 3, 3))
    assert data is not None
    other = changed(graph, "stem", bytes(byte ^ (place < 5) for place, byte in enumerate(data)))
    with pytest.raises(FirmwareGenError, match=r"weights of layer stem differ in 5 of 216 bytes from those of stem"):
        compare_weights([graph, other])


def test_a_layer_of_another_shape_is_named_with_its_shape(graph: Graph) -> None:
    other = changed(graph, "stem", bytes(8 * 3 * 3), (8, 3, 3, 1))
    with pytest.raises(FirmwareGenError, match=r"layer stem have the shape \[8, 3, 3, 1\], which no layer has"):
        compare_weights([graph, other])
