# SPDX-License-Identifier: Apache-2.0
"""Records of decisions."""

from __future__ import annotations

import numpy as np

from dimmer.firmware_gen.kernels.logic import ARG_EXTREME, CAST_F32, COMPARE, GATHER, SELECT
from dimmer.firmware_gen.kernels.portable import LUT, MAXIMUM
from dimmer.firmware_gen.lower.steps import Weights
from tests.firmware_gen.lower.lowered import only, steps_of, values
from tests.firmware_gen.networks import tiny_logic
from tests.firmware_gen.tflite_builder import Layers


def test_each_decision_has_its_kernel() -> None:
    kernels = [step.kernel for step in steps_of(tiny_logic())]
    assert kernels == [COMPARE, COMPARE, MAXIMUM, LUT, SELECT, SELECT, LUT, ARG_EXTREME, CAST_F32]


def test_a_comparison_says_what_each_order_gives() -> None:
    net = Layers(0)
    x = net.activation([1, 2, 3], 0.5, 7)
    low = net.tensor("low", [3], "int8", 0.25, -2, 0, np.arange(3))
    step = only(net, x, net.operator("GREATER_EQUAL", [x, low], net.tensor("flags", [1, 2, 3], "bool")))
    assert values(step, "less", "equal", "greater") == (0, 1, 1)
    # TFLite rescales by the scales as they are.
    assert values(step, "multiplier1", "shift1", "multiplier2", "shift2") == (1 << 30, 0, 1 << 30, -1)
    assert values(step, "zero_point1", "zero_point2", "broadcast2") == (7, -2, 0b0100)


def test_flags_are_turned_by_a_table() -> None:
    step = steps_of(tiny_logic())[3]
    table = step.fields["table"]
    assert isinstance(table, Weights)
    assert (table.data[128], table.data[129]) == (1, 0)


def test_the_place_of_an_extreme_may_be_wide() -> None:
    *_, step, cast = steps_of(tiny_logic())
    assert values(step, "outer", "depth", "inner", "largest", "wide") == (16, 3, 1, 1, 1)
    assert values(cast, "source_type", "elements") == (5, 16)


def test_computed_indexes_are_looked_up_along_an_axis() -> None:
    net = Layers(0)
    x = net.tensor("places", [3], "int32")
    table = net.tensor("table", [2, 5, 7], "int8", 0.1, 0, 0, np.zeros((2, 5, 7)))
    step = only(net, x, net.operator("GATHER", [table, x], net.activation([2, 3, 7], 0.1, 0, "y"), axis=-2))
    assert step.kernel == GATHER
    assert values(step, "outer", "depth", "run", "count", "input_blob") == (2, 5, 7, 3, 1)
