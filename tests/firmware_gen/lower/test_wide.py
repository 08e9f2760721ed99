# SPDX-License-Identifier: Apache-2.0
"""Records of operators on 16 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.kernels import wide as k
from dimmer.firmware_gen.kernels.portable import COPY, PAD
from dimmer.firmware_gen.lower.steps import Params
from tests.firmware_gen.lower.lowered import lowered, only, steps_of, values
from tests.firmware_gen.networks import tiny_wide
from tests.firmware_gen.read.damaged import refusal
from tests.firmware_gen.tflite_builder import Layers, pack
from tests.firmware_gen.wide_cases import bias, dense, wide


def test_each_operator_has_its_kernel() -> None:
    kernels = [step.kernel for step in steps_of(tiny_wide())]
    assert kernels == [
        *(k.CONV_2D, k.DEPTHWISE_CONV_2D, k.ADD, k.SIGMOID, k.MUL, k.MEAN, k.FULLY_CONNECTED, k.SOFTMAX),
    ]


def test_a_bias_of_64_bits_lies_in_two_words() -> None:
    step = steps_of(tiny_wide())[0]
    words = step.fields["bias"]
    assert isinstance(words, Params)
    assert len(words.values) == 8
    assert {*words.values[1::2]} <= {0, -1}


def test_what_moves_values_moves_pairs_of_bytes() -> None:
    net = Layers(0)
    x = wide(net, [1, 3, 4], 0.1)
    padded = net.operator("PAD", [x, net.constant("p", [[0, 0], [1, 2], [0, 0]])], wide(net, [1, 6, 4], 0.1, "padded"))
    corners = [net.constant(name, v) for name, v in (("b", [0, 1, 0]), ("s", [1, 2, 4]))]
    pad, part = lowered(net, x, net.operator("SLICE", [padded, *corners], wide(net, [1, 2, 4], 0.1, "part")))
    assert (pad.kernel, part.kernel) == (PAD, COPY)
    assert values(pad, "dims", "before", "after") == ((1, 1, 1, 24), (0, 0, 0, 8), (0, 0, 0, 16))
    assert values(part, "rows", "row_bytes") == (1, 16)


def test_a_sum_that_may_leave_its_bits_is_told() -> None:
    net = Layers(0)
    x = wide(net, [1, 600], 1e-4)
    weights = net.tensor("w", [1, 600], "int8", 0.01, 0, 0, np.full((1, 600), 127))
    with pytest.raises(FirmwareGenError, match="a sum of up to 2496921600 may reach 2147483648"):
        only(net, x, net.operator("FULLY_CONNECTED", [x, weights], wide(net, [1, 1], 1e-2, "y")))


def changed(place: int, **fields: Any) -> bytes:
    """A dense layer of which one input is changed."""
    net = Layers(1)
    model = net.model(*([end] for end in dense(net)))
    tensor = model.subgraphs[0].tensors[model.subgraphs[0].operators[0].inputs[place]]
    for name, value in fields.items():
        setattr(tensor, name, value)
    return pack(model)


def test_types_are_not_mixed() -> None:
    assert "mixes int16 y and int8 x; put QUANTIZE between them" in refusal(changed(0, type=schema.TensorType.INT8))


def test_a_bias_of_32_bits_is_told() -> None:
    net = Layers(0)
    x = wide(net, [1, 4], 1e-4)
    weights = net.weights([3, 4], 0, per_channel=False)
    short = net.tensor("b", [3], "int32", 1e-6, 0, 0, np.zeros(3))
    y = net.operator("FULLY_CONNECTED", [x, weights, short], wide(net, [1, 3], 1e-3, "y"))
    assert "has the bias b: int32[3], expected 3 constant int64 values" in refusal(net.build(x, y))
    assert net.tensors[bias(net, x, weights, 3)].type == schema.TensorType.INT64


def test_an_operator_without_kernels_of_16_bits_is_told() -> None:
    net = Layers(0)
    x = wide(net, [1, 4], 1e-4)
    y = net.operator("MAXIMUM", [x, x], wide(net, [1, 4], 1e-4, "y"))
    assert "which is int16; of 16 bits that operator is not supported, convert with" in refusal(net.build(x, y))


def test_sums_by_shifts_are_told() -> None:
    net = Layers(0)
    x = wide(net, [1, 4], 2.0**-12)
    y = net.operator("ADD", [x, x], wide(net, [1, 4], 2.0**-11, "y"), potScaleInt16=True)
    assert "adds int16 by shifts, as old converters wrote it" in refusal(net.build(x, y))
