# SPDX-License-Identifier: Apache-2.0
"""Records of operators that work value by value."""

from __future__ import annotations

import numpy as np
import pytest

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.kernels.portable import DEQUANTIZE_F32, QUANTIZE_F32
from dimmer.firmware_gen.lower.steps import Buffer, Weights
from tests.firmware_gen.lower.lowered import lowered, only, values
from tests.firmware_gen.tflite_builder import Layers


@pytest.mark.parametrize(
    ("shape", "other", "dims", "repeats"),
    [
        ([1, 4, 5, 6], [1, 4, 5, 6], (1, 1, 1, 120), 0),
        ([1, 4, 5, 6], [6], (1, 1, 20, 6), 0b0100),
        ([1, 4, 5, 6], [1, 4, 1, 1], (1, 1, 4, 30), 0b1000),
        ([1, 4, 5, 6], [1, 4, 1, 6], (1, 4, 5, 6), 0b0100),
        ([1, 4, 5, 6], [1], (1, 1, 1, 120), 0b1000),
    ],
)
def test_dimensions_are_merged_into_the_longest_runs(
    shape: list[int], other: list[int], dims: tuple[int, ...], repeats: int
) -> None:
    net = Layers(0)
    x = net.activation(shape)
    constant = net.tensor("constant", other, "int8", 0.1, 3, 0, np.zeros(other))
    step = only(net, x, net.elementwise("MUL", x, constant))
    assert values(step, "dims", "broadcast1", "broadcast2") == (dims, 0, repeats)


def test_more_runs_than_a_record_holds_are_told() -> None:
    net = Layers(0)
    x = net.activation([1, 2, 3, 2, 3, 2])
    constant = net.tensor("constant", [1, 2, 1, 2, 1, 2], "int8", 0.1, 3, 0, np.zeros([1, 2, 1, 2, 1, 2]))
    with pytest.raises(FirmwareGenError, match="broadcasts over 5 separate dimensions, at most 4 are supported"):
        only(net, x, net.elementwise("ADD", x, constant))


def test_a_constant_operand_lies_in_the_blob_and_is_not_overwritten() -> None:
    net = Layers(0)
    x = net.activation([1, 3], 0.1, 5)
    constant = net.tensor("constant", [1, 3], "int8", 0.2, -6, 0, np.array([1, 2, 3]))
    step = only(net, x, net.elementwise("SUB", constant, x, "RELU", net.activation([1, 3], 0.3, 7, "y")))
    assert values(step, "input1", "input2") == (Weights(b"\1\2\3", (1, 3)), Buffer(0))
    assert values(step, "input1_blob", "input2_blob", "zero_point1", "zero_point2") == (1, 0, -6, 5)
    assert values(step, "output_zero_point", "activation_min", "activation_max") == (7, 7, 127)
    assert step.in_place == (0,)


def test_the_smaller_operand_is_not_overwritten() -> None:
    net = Layers(0)
    x = net.activation([1, 2, 2, 3])
    pooled = net.pool("AVERAGE_POOL_2D", x, (2, 2), (1, 1), "VALID", "NONE")
    _, add = lowered(net, x, net.elementwise("ADD", x, pooled))
    assert add.in_place == (0,)


def test_a_sum_keeps_twenty_more_bits() -> None:
    net = Layers(0)
    x = net.activation([1, 4], 0.5, 0)
    step = only(net, x, net.elementwise("ADD", x, x, "NONE", net.activation([1, 4], 1.0, 0, "y")))
    # Both halves of twice the larger scale, and 1 / 2^20 of what remains.
    assert values(step, "multiplier1", "shift1", "multiplier2", "shift2") == (1 << 30, 0) * 2
    assert values(step, "left_shift", "multiplier_output", "shift_output") == (20, 1 << 30, -19)


@pytest.mark.parametrize(("source", "output"), [("int8", "uint8"), ("uint8", "int8")])
def test_codes_without_sign_are_told_to_the_kernel(source: str, output: str) -> None:
    net = Layers(0)
    x, y = net.tensor("x", [1, 4], source, 0.1, 9), net.tensor("y", [1, 4], output, 0.2, 11)
    step = only(net, x, net.operator("QUANTIZE", [x], y))
    assert values(step, "input_unsigned", "output_unsigned") == (int(source == "uint8"), int(output == "uint8"))
    low = 0 if output == "uint8" else -128
    assert values(step, "activation_min", "activation_max") == (low, low + 255)


def test_floats_and_codes_without_sign_meet_by_way_of_int8() -> None:
    net = Layers(0)
    x, y = net.tensor("x", [1, 4], "float32"), net.tensor("y", [1, 4], "uint8", 0.1, 9)
    first, second = lowered(net, x, net.operator("QUANTIZE", [x], y))
    assert (first.kernel, first.fields["zero_point"], second.fields["output_unsigned"]) == (QUANTIZE_F32, -119, 1)
    net = Layers(0)
    x, y = net.tensor("x", [1, 4], "uint8", 0.1, 9), net.tensor("y", [1, 4], "float32")
    first, second = lowered(net, x, net.operator("DEQUANTIZE", [x], y))
    assert (first.fields["input_unsigned"], second.kernel, second.fields["zero_point"]) == (1, DEQUANTIZE_F32, -119)


def test_logistic_has_an_answer_for_each_code() -> None:
    net = Layers(0)
    x = net.activation([1, 7], 0.1, 0)
    step = only(net, x, net.operator("LOGISTIC", [x], net.activation([1, 7], 1 / 256, -128, "y")))
    table = step.fields["table"]
    assert isinstance(table, Weights)
    assert (len(table.data), table.data[128], step.fields["elements"]) == (256, 0, 7)


def test_softmax_goes_over_the_last_dimension() -> None:
    net = Layers(0)
    x = net.activation([1, 3, 5], 1 / 16, 0)
    assert values(only(net, x, net.softmax(x)), "rows", "depth", "left_shift") == (3, 5, 23)


def test_softmax_of_too_many_classes_is_told() -> None:
    net = Layers(0)
    x = net.activation([1, 4097], 1 / 16, 0)
    with pytest.raises(FirmwareGenError, match="has 4097 classes, more than 4096; leave SOFTMAX out"):
        only(net, x, net.softmax(x))
