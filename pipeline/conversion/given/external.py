# SPDX-License-Identifier: Apache-2.0
"""Files beside an ONNX file that hold its weights: external data, as `torch.onnx.export` writes them by default."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dimmer.errors import DimmerError


def external_files(path: Path) -> list[Path]:
    """The files, sorted; none of a file that cannot be read, of which the converter tells.

    Raises:
        DimmerError: one is not there.
    """
    import onnx

    try:
        model = onnx.load(path, load_external_data=False)
    # Of a broken file protobuf raises whatever comes to it.
    except Exception:
        return []
    named = {
        entry.value
        for tensor in _tensors(model.graph)
        if tensor.data_location == onnx.TensorProto.EXTERNAL
        for entry in tensor.external_data
        if entry.key == "location"
    }
    found = [path.parent / name for name in sorted(named)]
    for file in found:
        if not file.is_file():
            raise DimmerError(f"{path.name}: its weights lie in {file.name}, which is not beside it; put it there")
    return found


def _tensors(graph: Any) -> Iterator[Any]:
    """Of a graph and of the graphs in it."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            yield attribute.t
            yield from attribute.tensors
            for inner in (attribute.g, *attribute.graphs):
                yield from _tensors(inner)
