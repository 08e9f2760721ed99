# SPDX-License-Identifier: Apache-2.0
"""What today's interpreter refuses in files of old converters although it means nothing."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from dimmer.firmware_gen.read.flatbuffer import usable_axis

_QUANTIZED_DIMENSION = 16
"""The field's place in the table of places of QuantizationParameters."""


def mended(data: bytes) -> bytes:
    """The file with every quantized_dimension within its tensor's dimensions, where that leaves no choice.

    Anything that is no whole `.tflite` file is given back as it is.
    """
    changed = bytearray(data)
    try:
        model = schema.Model.GetRootAs(data, 0)
        for number in range(model.SubgraphsLength()):
            subgraph = model.Subgraphs(number)
            for index in range(subgraph.TensorsLength()):
                _mend(subgraph.Tensors(index), changed)
    except (struct.error, TypeError, ValueError, IndexError, OverflowError, AttributeError):
        return data
    return bytes(changed)


def mending(path: Path) -> str:
    """A line about what was mended; empty where nothing was, or the file cannot be read."""
    try:
        data = path.read_bytes()
    except OSError:
        return ""
    if mended(data) == data:
        return ""
    return f"{path.name}: names unused dimensions out of range, which the interpreter refuses; mended while reading\n"


def _mend(tensor: Any, data: bytearray) -> None:
    quantisation = tensor.Quantization()
    if quantisation is None or not tensor.ShapeLength():
        return
    axis = quantisation.QuantizedDimension()
    better = usable_axis(axis, tensor.ShapeLength(), quantisation.ScaleLength())
    if better != axis:
        place = quantisation._tab.Pos + quantisation._tab.Offset(_QUANTIZED_DIMENSION)
        struct.pack_into("<i", data, place, better)
