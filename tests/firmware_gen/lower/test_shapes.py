# SPDX-License-Identifier: Apache-2.0
"""Records of operators that gather or move values."""

from __future__ import annotations

import pytest

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.lower.steps import Buffer
from tests.firmware_gen.lower.lowered import lowered, only, values
from tests.firmware_gen.tflite_builder import Layers


def mean(shape: list[int], axes: list[int]) -> tuple[Layers, int, int]:
    net = Layers(0)
    x = net.activation(shape, 0.1, 0)
    kept = [size for axis, size in enumerate(shape) if axis not in axes]
    return net, x, net.operator("MEAN", [x, net.constant("axes", axes)], net.activation(kept, 0.1, 0, "y"))


@pytest.mark.parametrize(
    ("shape", "axes", "runs"),
    [
        ([1, 4, 5, 6], [1, 2], (1, 20, 6, 1)),
        ([1, 4, 5, 6], [3], (20, 6, 1, 1)),
        ([1, 4, 5, 6], [1, 3], (1, 4, 5, 6)),
        ([1, 4, 5, 6], [2, 3], (4, 30, 1, 1)),
        ([1, 4, 1, 6], [1, 3], (1, 24, 1, 1)),
    ],
)
def test_neighbours_are_reduced_together(shape: list[int], axes: list[int], runs: tuple[int, ...]) -> None:
    assert values(only(*mean(shape, axes)), "outer", "reduce1", "inner", "reduce2") == runs


def test_a_mean_that_no_record_holds_is_told() -> None:
    with pytest.raises(FirmwareGenError, match=r"reduces the dimensions \[1, 3\] of \[1, 2, 3, 4, 5\]"):
        only(*mean([1, 2, 3, 4, 5], [1, 3]))
    with pytest.raises(FirmwareGenError, match="averages 8388608 elements, at most 8388607 are supported"):
        only(*mean([1, 2048, 4096], [1, 2]))


def test_a_pool_has_its_window_and_clamp() -> None:
    net = Layers(0)
    x = net.activation([1, 5, 6, 3], 0.1, -10)
    step = only(net, x, net.pool("MAX_POOL_2D", x, (3, 2), (2, 1), "SAME", "RELU6"))
    assert values(step, "input_h", "input_w", "channels", "output_h", "output_w") == (5, 6, 3, 3, 6)
    assert values(step, "window_h", "window_w", "stride_h", "stride_w", "pad_top", "pad_left") == (3, 2, 2, 1, 1, 0)
    assert values(step, "activation_min", "activation_max") == (-10, 50)


def test_padding_has_the_zero_point_and_four_dimensions() -> None:
    net = Layers(0)
    x = net.activation([1, 5, 6], 0.1, 7)
    step = only(net, x, net.pad(x, [(0, 0), (1, 2), (3, 0)]))
    assert values(step, "dims", "before", "after", "value") == ((1, 1, 5, 6), (0, 0, 1, 3), (0, 0, 2, 0), 7)


def test_inputs_are_joined_row_by_row() -> None:
    net = Layers(0)
    x = net.activation([1, 2, 3], 0.1, 0)
    other = net.reshape(x, [1, 2, 3])
    first, second = lowered(net, x, net.same("CONCATENATION", x, [1, 2, 6], [other], axis=2))
    assert values(first, "rows", "row_bytes", "input_stride", "output_stride") == (2, 3, 3, 6)
    assert values(second, "rows", "row_bytes", "input_stride", "output_stride") == (2, 3, 3, 6)
    assert values(first, "output") == (Buffer(first.writes, 0),)
    assert values(second, "output") == (Buffer(first.writes, 3),)


def test_a_transposition_walks_its_input() -> None:
    net = Layers(0)
    x = net.activation([1, 2, 3, 4], 0.1, 0)
    step = only(net, x, net.same("TRANSPOSE", x, [1, 4, 2, 3], [net.constant("order", [0, 3, 1, 2])]))
    assert values(step, "dims", "strides") == ((1, 4, 2, 3), (24, 1, 12, 4))


def test_five_dimensions_are_told() -> None:
    net = Layers(0)
    x = net.activation([1, 2, 1, 2, 3], 0.1, 0)
    with pytest.raises(FirmwareGenError, match="works on 5 dimensions, at most 4 are supported; reshape"):
        only(net, x, net.pad(x, [(0, 1)] * 5))
