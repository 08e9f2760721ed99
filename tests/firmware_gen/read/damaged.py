# SPDX-License-Identifier: Apache-2.0
"""Files that were changed, and what the reader says about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ai_edge_litert import schema_py_generated as schema

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.read.tflite import parse_tflite
from tests.firmware_gen.networks import tiny_resnet
from tests.firmware_gen.tflite_builder import Layers, pack


def refusal(data: bytes) -> str:
    """What the reader says about a file."""
    with pytest.raises(FirmwareGenError) as caught:
        parse_tflite(data, "net.tflite")
    message = str(caught.value)
    assert message.startswith("net.tflite: ")
    assert "\n" not in message
    return message


def single(kind: str, *, rescales: bool = True, **options: Any) -> bytes:
    """One operator of one input; with `rescales` its output has a scale and zero point of its own."""
    net = Layers(0)
    x = net.activation([1, 4, 4, 2])
    scale, zero_point = (None, None) if rescales else (net.scale_of(x), net.zero_point_of(x))
    return net.build(x, net.operator(kind, [x], net.activation([1, 4, 4, 2], scale, zero_point, "y"), **options))


Change = Callable[[Any], None]


def graph_of(model: Any) -> Any:
    return model.subgraphs[0]


def set_tensor(name: str, **fields: Any) -> Change:
    def change(model: Any) -> None:
        for tensor in graph_of(model).tensors:
            if tensor.name == name or tensor.name == name.encode():
                for field, value in fields.items():
                    setattr(tensor, field, value)

    return change


def set_quantisation(name: str, **fields: Any) -> Change:
    def change(model: Any) -> None:
        for tensor in graph_of(model).tensors:
            if tensor.name == name.encode():
                for field, value in fields.items():
                    setattr(tensor.quantization, field, value)

    return change


def set_operator(index: int, **fields: Any) -> Change:
    def change(model: Any) -> None:
        operator = graph_of(model).operators[index]
        for field, value in fields.items():
            owner = operator if hasattr(operator, field) else operator.builtinOptions
            setattr(owner, field, value)

    return change


def changed(change: Change) -> bytes:
    """`tiny_resnet` after a change of its unpacked form."""
    model = schema.ModelT.InitFromPackedBuf(tiny_resnet(), 0)
    change(model)
    return pack(model)
