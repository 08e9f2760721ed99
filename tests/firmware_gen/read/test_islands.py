# SPDX-License-Identifier: Apache-2.0
"""Which float operators are one function of a code, and what the others are told."""

from __future__ import annotations

import numpy as np
import pytest

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph.micro import as_micro
from dimmer.firmware_gen.graph.options import Table
from dimmer.firmware_gen.graph.types import Graph
from dimmer.firmware_gen.read.flatbuffer import read_flatbuffer
from dimmer.firmware_gen.read.islands import ELEMENTWISE, Island, islands_of
from dimmer.firmware_gen.read.tflite import parse_tflite
from tests.firmware_gen.island_cases import BINARY, combined, computed, entered, left, number, real, tiny_island
from tests.firmware_gen.tflite_builder import Layers

PAIRS = (*BINARY, "DIV", "POW")


def tables(graph: Graph) -> list[bytes]:
    return [operator.options.codes for operator in graph.operators if isinstance(operator.options, Table)]


def refusal(data: bytes) -> str:
    with pytest.raises(FirmwareGenError) as error:
        parse_tflite(data, "net")
    return str(error.value)


def floats(net: Layers, scale: float) -> tuple[int, int]:
    """The input, and the floats of codes of a scale."""
    x = net.activation([1, 2, 2, 3])
    codes = net.operator("HARD_SWISH", [x], net.activation([1, 2, 2, 3], scale, 3, "codes"))
    return x, net.operator("DEQUANTIZE", [codes], real(net, net.shape(codes)))


def test_a_table_holds_what_numpy_says_of_every_code() -> None:
    net = Layers(3)
    x = net.activation([1, 2, 2, 3])
    codes = net.conv(x, 3, (1, 1))
    y = net.operator("DEQUANTIZE", [codes], real(net, net.shape(codes)))
    z = net.operator("QUANTIZE", [computed(net, y, "ABS")], net.activation(net.shape(y), 0.25, -3, "z"))
    (table,) = tables(parse_tflite(net.build(x, z), "net"))
    scale, zero_point = net.tensors[codes].quantization.scale[0], net.zero_point_of(codes)
    values = np.abs((np.arange(-128, 128) - zero_point).astype(np.float32) * np.float32(scale))
    steps = np.floor(values.astype(np.float64) / 0.25 + 0.5) - 3
    assert np.array_equal(np.frombuffer(table, np.int8), np.clip(steps, -128, 127))


@pytest.mark.parametrize("kind", sorted(ELEMENTWISE))
def test_the_interpreter_has_every_operator(kind: str) -> None:
    net = Layers(1)
    x, y = floats(net, 0.05)
    y = combined(net, computed(net, y, "ABS"), number(net, 0.5, 1.0), "ADD")
    z = combined(net, y, number(net), kind) if kind in PAIRS else computed(net, y, kind)
    assert len(tables(parse_tflite(net.build(x, left(net, z)), "net"))) == 1


def test_what_an_island_is() -> None:
    found = islands_of(read_flatbuffer(tiny_island(), "net"))
    (island,) = found.ends.values()
    assert island == Island(island.source, island.output, (1, 2, 3, 4, 5))
    assert found.within == {2, 3, 4}


def test_what_an_output_of_the_file_needs_is_kept() -> None:
    net = Layers(1)
    x = net.activation([1, 2, 2, 3])
    y = computed(net, entered(net, x), "TANH")
    left(net, computed(net, y, "ABS"))
    raw = read_flatbuffer(net.build(x, y), "net")
    assert islands_of(raw).within == {3}
    assert "TANH" in refusal(net.build(x, y))


@pytest.mark.parametrize("what", ["a constant for each channel", "two tensors", "a sum over channels", "of 16 bits"])
def test_other_float_operators_are_told_with_their_tensor(what: str) -> None:
    net = Layers(1)
    x = net.activation([1, 2, 2, 3])
    y = entered(net, x)
    depth = net.shape(y)[3]
    if what == "a constant for each channel":
        row = net.tensor("row", [depth], "float32", data=np.arange(depth, dtype=np.float32))
        z = combined(net, y, row, "MUL")
    elif what == "two tensors":
        other = net.conv(x, depth, (1, 1))
        z = combined(net, y, net.operator("DEQUANTIZE", [other], real(net, net.shape(other))), "ADD")
    elif what == "a sum over channels":
        z = net.operator("SOFTMAX", [y], real(net, net.shape(y)), beta=1.0)
    else:
        z = computed(net, y, "TANH")
    output = left(net, z)
    if what == "of 16 bits":
        net.tensors[output].type = 7
        net.tensors[output].quantization.zeroPoint = [0]
    message = refusal(net.build(x, output))
    assert "which is float32; quantise the network to int8, or end the file before that operator" in message


def test_a_source_of_no_one_scale_is_told() -> None:
    net = Layers(1)
    x = net.activation([1, 2, 2, 3])
    output = left(net, computed(net, entered(net, x), "TANH"))
    net.tensors[output].quantization = None
    assert "works on floats of codes without one scale" in refusal(net.build(x, output))


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (("LOG",), "gives nan by operator 2 LOG"),
        (("SQRT",), "gives nan by operator 2 SQRT"),
        (("LOG", "ABS", "SQUARE"), "gives nan by operator 2 LOG"),
        (("ABS", "RSQRT"), "gives inf by operator 3 RSQRT"),
        (("DIV",), "gives -3.40282e+38 by operator 2 DIV"),
        (("EXP", "EXP"), "by operator 3 EXP"),
        (("SQUARE", "SQUARE", "SQUARE", "SQUARE"), "by operator 5 SQUARE"),
    ],
)
def test_what_no_code_stands_for_is_refused_with_its_operator(kinds: tuple[str, ...], said: str) -> None:
    net = Layers(1)
    x, y = floats(net, 0.1)
    for kind in kinds:
        made = real(net, net.shape(y))
        y = net.operator(kind, [y, number(net, 0.0, 0.0)] if kind == "DIV" else [y], made)
        net.tensors[made].name = f"made by {kind}"
    message = refusal(net.build(x, left(net, y)))
    assert said in message
    assert "of codes gives" in message
    assert "(made by " in message
    assert "which no code stands for; bound its operand" in message


def test_a_number_without_end_on_the_way_is_fine() -> None:
    net = Layers(1)
    x, y = floats(net, 2.0)
    y = computed(net, computed(net, y, "EXP"), "TANH")
    (table,) = tables(parse_tflite(net.build(x, left(net, y)), "net"))
    assert table[-1] == table[-2]


def test_tflite_micro_is_refused() -> None:
    with pytest.raises(FirmwareGenError, match="may compute the float operators before it otherwise"):
        as_micro(parse_tflite(tiny_island(), "net"))
