# SPDX-License-Identifier: Apache-2.0
"""What only moves values as the file has it: the places in the input that each output dimension reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from dimmer.firmware_gen.graph.options import Take
from dimmer.firmware_gen.graph.types import Concatenation, Reshape
from dimmer.firmware_gen.read.moves import nearest
from dimmer.firmware_gen.read.tflite import parse_tflite
from tests.firmware_gen.read.damaged import refusal
from tests.firmware_gen.tflite_builder import Layers


def moved(kind: str, shape: Sequence[int], *parameters: Sequence[Any], **options: Any) -> bytes:
    """One operator of an int8[1,2,3,4] to `shape`, both with one scale and zero point."""
    net = Layers(0)
    x = net.activation([1, 2, 3, 4], 0.1, 3)
    inputs = [x, *(net.constant(f"parameter_{number}", values) for number, values in enumerate(parameters))]
    return net.build(x, net.operator(kind, inputs, net.activation(shape, 0.1, 3, "y"), **options))


def taken(data: bytes) -> list[int | None]:
    """The place in the input of every output element."""
    (operator,) = parse_tflite(data, "net.tflite").operators
    assert isinstance(operator.options, Take)
    found: list[int | None] = []
    for axes in operator.options.parts:
        places: list[int | None] = [0]
        for axis in axes:
            places = [None if a is None or b is None else a + b for a in places for b in axis]
        found += places
    return found


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            moved("STRIDED_SLICE", [1, 2, 2], [0, 1, 2, 3], [1, 2, -9, 0], [1, 1, -2, -2], shrinkAxisMask=2, endMask=4),
            np.arange(24).reshape(1, 2, 3, 4)[:, 1, ::-2, 3:0:-2],
        ),
        (
            moved("STRIDED_SLICE", [1, 2, 3, 1], [0, -1], [0, 0], [1, 1], ellipsisMask=1, endMask=2),
            np.arange(24).reshape(1, 2, 3, 4)[..., -1:],
        ),
        (moved("SLICE", [1, 1, 2, 4], [0, 1, 1, 0], [-1, 1, 2, -1]), np.arange(24).reshape(1, 2, 3, 4)[:, 1:, 1:]),
        (moved("GATHER", [1, 2, 2, 4], [2, 0], axis=-2), np.arange(24).reshape(1, 2, 3, 4)[:, :, [2, 0]]),
        (moved("REVERSE_V2", [1, 2, 3, 4], [-1]), np.arange(24).reshape(1, 2, 3, 4)[..., ::-1]),
        (moved("TILE", [1, 2, 6, 4], [1, 1, 2, 1]), np.tile(np.arange(24).reshape(1, 2, 3, 4), (1, 1, 2, 1))),
        (
            moved("MIRROR_PAD", [1, 2, 6, 4], [[0, 0], [0, 0], [2, 1], [0, 0]], mode=0),
            np.pad(np.arange(24).reshape(1, 2, 3, 4), ((0, 0), (0, 0), (2, 1), (0, 0)), mode="reflect"),
        ),
        (moved("DEPTH_TO_SPACE", [1, 4, 6, 1], blockSize=2), np.arange(24).reshape(2, 3, 2, 2).transpose(0, 2, 1, 3)),
    ],
    ids=["strides", "ellipsis", "slice", "gather", "reverse", "tile", "mirror", "depth to space"],
)
def test_places_are_those_of_numpy(data: bytes, expected: np.ndarray[Any, Any]) -> None:
    assert taken(data) == expected.reshape(-1).tolist()


def test_batches_of_blocks_have_holes() -> None:
    data = moved("SPACE_TO_BATCH_ND", [2, 2, 2, 4], [1, 2], [[0, 0], [0, 1]])
    assert [place for place in taken(data) if place is None] == [None] * 8
    assert taken(data)[:8] == [0, 1, 2, 3, 8, 9, 10, 11]


def test_a_split_becomes_an_operator_for_each_output() -> None:
    net = Layers(0)
    x = net.activation([1, 6], 0.1, 3)
    parts = [net.activation([1, size], 0.1, 3, f"part_{size}") for size in (2, 4)]
    net.operator("SPLIT_V", [x, net.constant("sizes", [2, -1]), net.constant("axis", -1)], parts, numSplits=2)
    operators = parse_tflite(net.build(x, parts[1]), "net.tflite").operators
    assert [(o.index, o.kind, o.options) for o in operators] == [
        (0, "SPLIT_V", Take(((range(0, 6, 6), range(2)),))),
        (0, "SPLIT_V", Take(((range(0, 6, 6), range(2, 6)),))),
    ]


def test_what_keeps_every_byte_in_its_place_is_a_reshape() -> None:
    assert parse_tflite(moved("EXPAND_DIMS", [1, 2, 1, 3, 4], [2]), "n").operators[0].options == Reshape()
    assert "which is not the same" in refusal(moved("SQUEEZE", [1, 3, 2, 4]))


def test_a_pack_is_a_concatenation() -> None:
    assert parse_tflite(moved("PACK", [1, 2, 3, 4, 1], axis=-1), "n").operators[0].options == Concatenation(4)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (moved("STRIDED_SLICE", [1], [0], [1], [0]), "has the strides [0] for [1, 2, 3, 4]"),
        (moved("STRIDED_SLICE", [2, 3, 4], [1], [2], [1], shrinkAxisMask=1), "takes index 1 of 1"),
        (moved("STRIDED_SLICE", [1], [0, 0], [1], [1]), "has 2 begins, 1 ends, 1 strides"),
        (
            moved("STRIDED_SLICE", [1, 2, 3, 4], *([[0] * 5, [1] * 5, [1] * 5]), ellipsisMask=1),
            "has an ellipsis for no dimension",
        ),
        (moved("SLICE", [1, 2, 3, 4], [0, 0, 2, 0], [1, 2, 3, 4]), "takes 3 from 2 of a dimension of 3"),
        (moved("GATHER", [1, 2, 1, 4], [3], axis=2), "takes an index outside 0..2"),
        (moved("GATHER", [1, 2, 1, 4], [0], axis=5), "has the axis 5 for an input of 4 dimensions"),
        (moved("MIRROR_PAD", [1, 4, 3, 4], [[0, 0], [2, 0], [0, 0], [0, 0]], mode=0), "mirrors 2 and 0 of a dimension"),
        (moved("SPACE_TO_DEPTH", [1, 1, 1, 16], blockSize=2), "has blocks of 2 for [1, 2, 3, 4]"),
        (moved("BATCH_TO_SPACE_ND", [1, 2, 3, 4], [2], [[0, 0]]), "makes no batch of 1"),
        (moved("RESIZE_BILINEAR", [1, 4, 4, 4], [4, 4], alignCorners=True, halfPixelCenters=True), "has both"),
        (moved("RESIZE_BILINEAR", [1, 4, 4, 4], [4, 5]), "should have the output shape [1, 4, 5, 4]"),
        (moved("UNPACK", [1, 3, 4], axis=1), "has 1 outputs for [1, 2, 3, 4]"),
        (moved("TILE", [1, 2, 3, 4], [1, 1, 0, 1]), "repeats [1, 2, 3, 4] [1, 1, 0, 1] times"),
    ],
)
def test_parameters_that_do_not_fit_are_told(data: bytes, message: str) -> None:
    assert message in refusal(data)


def test_a_pack_does_not_rescale() -> None:
    net = Layers(0)
    x = net.activation([1, 4], 0.1, 3)
    packed = net.operator("PACK", [x, x], net.activation([2, 1, 4], 0.1, 4, "y"), axis=0, valuesCount=2)
    assert "must not rescale, but x and y have different scales or zero points" in refusal(net.build(x, packed))


def test_the_nearest_neighbour_is_found_in_float32() -> None:
    assert [nearest(i, 3, 7, False, False) for i in range(7)] == [0, 0, 0, 1, 1, 2, 2]
    assert [nearest(i, 3, 7, True, False) for i in range(7)] == [0, 0, 1, 1, 1, 2, 2]
    assert [nearest(i, 4, 2, False, True) for i in range(2)] == [1, 3]


@pytest.mark.parametrize("block", [2000, 40_000])
def test_blocks_that_no_output_has_cost_no_time(block: int) -> None:
    net = Layers(1)
    x = net.activation([1, 1, 1, 1], 0.05, 0)
    parameters = [net.constant("b", [block, block]), net.constant("p", [[0, block - 1], [0, block - 1]])]
    for output in ([1, 1, 1, 1], [block * block, 1, 1, 1]):
        made = net.same("SPACE_TO_BATCH_ND", x, output, parameters)
        assert "at most 1048576 are supported" in refusal(net.build(x, made))
