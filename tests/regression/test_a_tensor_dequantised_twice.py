# SPDX-License-Identifier: Apache-2.0
"""Float operators between two DEQUANTIZE of one tensor and a QUANTIZE were refused with the interpreter's message about
a file that Dimmer itself had written: it held the second DEQUANTIZE alone.
"""

from __future__ import annotations

import pytest

from dimmer.firmware_gen.graph.options import Table
from dimmer.firmware_gen.read.flatbuffer import read_flatbuffer
from dimmer.firmware_gen.read.islands import islands_of
from dimmer.firmware_gen.read.tflite import parse_tflite
from tests.firmware_gen.island_cases import combined, computed, real
from tests.firmware_gen.tflite_builder import Layers


def swish(entries: str) -> bytes:
    """The product with the sigmoid, of one tensor of floats or of two that are the same."""
    net = Layers(1)
    x = net.activation([1, 2, 2, 3])
    codes = net.conv(x, 3, (1, 1))

    def entered() -> int:
        return net.operator("DEQUANTIZE", [codes], real(net, net.shape(codes)))

    y = entered()
    other = entered() if entries == "both first" else y
    z = computed(net, y, "LOGISTIC")
    if entries == "one between":
        other = entered()
    output = net.activation(net.shape(y), 0.05, 3, "z")
    return net.build(x, net.operator("QUANTIZE", [combined(net, other, z, "MUL")], output))


def tables(data: bytes) -> list[bytes]:
    operators = parse_tflite(data, "net").operators
    return [operator.options.codes for operator in operators if isinstance(operator.options, Table)]


@pytest.mark.parametrize(("entries", "within"), [("both first", {3, 4}), ("one between", {2, 4})])
def test_the_table_is_that_of_one(entries: str, within: set[int]) -> None:
    found = islands_of(read_flatbuffer(swish(entries), "net"))
    assert [island.operators for island in found.ends.values()] == [(1, 2, 3, 4, 5)]
    assert found.within == within
    (table,) = tables(swish(entries))
    assert [table] == tables(swish("one"))
