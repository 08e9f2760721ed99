# SPDX-License-Identifier: Apache-2.0
"""Whether modes read the same weights, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph.slices import resolve_slices
from dimmer.firmware_gen.graph.types import Conv2d, DepthwiseConv2d, FullyConnected, Graph, Tensor
from dimmer.firmware_gen.read.tflite import read_tflite


def check_shared_weights(files: Mapping[str, Path]) -> None:
    """Checks that all modes hold the same weights, byte for byte, or slices of them: a mode may leave layers out, but
    not have its own.

    Args:
        files: mode name -> `.tflite`, the most expensive mode first.

    Raises:
        FirmwareGenError: names the layer that differs.
    """
    compare_weights(resolve_slices([read_tflite(path, name=f"mode {mode}") for mode, path in files.items()]))


def compare_weights(graphs: Sequence[Graph]) -> None:
    """Like `check_shared_weights`, on graphs."""
    first = graphs[0]
    known = list(_weighted_layers(first))
    for graph in graphs[1:]:
        for layer, weights in _weighted_layers(graph):
            if any(weights.shape == other.shape and weights.data == other.data for _, other in known):
                continue
            near = [(_differences(weights, other), name) for name, other in known if weights.shape == other.shape]
            if near:
                count, name = min(near)
                what = f"differ in {count} of {weights.elements} bytes from those of {name}"
            else:
                what = f"have the shape {list(weights.shape)}, which no layer has"
            raise FirmwareGenError(
                f"{graph.source}: the weights of layer {layer} {what} in {first.source}; "
                "put the weights on one int8 grid per channel before the conversion"
            )


def _weighted_layers(graph: Graph) -> Iterator[tuple[str, Tensor]]:
    for operator in graph.operators:
        if isinstance(operator.options, Conv2d | DepthwiseConv2d | FullyConnected):
            yield graph.tensors[operator.output].name, graph.tensors[operator.inputs[1]]


def _differences(first: Tensor, second: Tensor) -> int:
    return sum(a != b for a, b in zip(first.data or b"", second.data or b"", strict=True))
