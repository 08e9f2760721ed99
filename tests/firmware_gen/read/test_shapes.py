# SPDX-License-Identifier: Apache-2.0
"""Pools, means and what moves data as the file has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from dimmer.firmware_gen.graph.types import Mean, Pad, Transpose
from dimmer.firmware_gen.read.tflite import parse_tflite
from tests.firmware_gen.read.damaged import refusal
from tests.firmware_gen.tflite_builder import Layers


def moved(kind: str, shape: Sequence[int], parameter: Sequence[Any] = (), **options: Any) -> bytes:
    """One operator of an int8[1,2,3,4] to `shape`, both with one scale and zero point."""
    net = Layers(0)
    x = net.activation([1, 2, 3, 4], 0.1, 3)
    inputs = [x, net.constant("parameter", parameter)] if len(parameter) else [x]
    return net.build(x, net.operator(kind, inputs, net.activation(shape, 0.1, 3, "y"), **options))


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (moved("PAD", [1, 5, 3, 5], [[0, 0], [1, 2], [0, 0], [0, 1]]), Pad((0, 1, 0, 0), (0, 2, 0, 1), 3)),
        (moved("MEAN", [1, 4], [-2, 1]), Mean((1, 2))),
        (moved("MEAN", [1, 1, 1, 4], [1, 2, 1], keepDims=True), Mean((1, 2))),
        (moved("TRANSPOSE", [4, 1, 3, 2], [3, 0, 2, 1]), Transpose((3, 0, 2, 1))),
    ],
    ids=["pad", "mean", "mean that keeps dimensions", "transpose"],
)
def test_parameters_become_options(data: bytes, options: object) -> None:
    (operator,) = parse_tflite(data, "net.tflite").operators
    assert operator.options == options
    assert len(operator.inputs) == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (moved("PAD", [1, 2, 3, 4], [[0, 0]]), "has the paddings [0, 0] for an input [1, 2, 3, 4]"),
        (moved("PAD", [1, 2, 3, 4], [[0, 0], [0, -1], [0, 1], [0, 0]]), "has the paddings [0, 0, 0, -1"),
        (moved("MEAN", [1, 4], [1, 4]), "has the axes [1, 4] for an input [1, 2, 3, 4]"),
        (moved("TRANSPOSE", [1, 2, 3, 4], [0, 1, 2, 2]), "has the permutation [0, 1, 2, 2]"),
        (moved("RESHAPE", [1, 5], [1, 5]), "makes [1, 5] of [1, 2, 3, 4], which has another number of elements"),
        (moved("RESHAPE", [1, 24], [2, 12]), "makes [2, 12] by its parameter, [1, 24] by its output"),
        (moved("CONCATENATION", [1, 2, 3, 4], axis=3, fusedActivationFunction=1), "has a fused activation"),
        (moved("CONCATENATION", [1, 2, 3, 4], axis=4), "has Axis = 4, expected -4 to 3"),
    ],
)
def test_parameters_that_do_not_fit_are_told(data: bytes, message: str) -> None:
    assert message in refusal(data)


def test_one_size_of_a_reshape_may_be_open() -> None:
    assert [o.kind for o in parse_tflite(moved("RESHAPE", [1, 24], [1, -1]), "net.tflite").operators] == ["RESHAPE"]
    assert "by its parameter" in refusal(moved("RESHAPE", [1, 24], [2, -1, 12]))


def test_what_only_moves_data_must_not_rescale() -> None:
    net = Layers(0)
    x = net.activation([1, 4], 0.1, 3)
    y = net.operator("CONCATENATION", [x], net.activation([1, 4], 0.1, 4, "y"), axis=1)
    assert "must not rescale, but x and y have different scales or zero points" in refusal(net.build(x, y))


def test_joined_tensors_differ_in_one_dimension_alone() -> None:
    net = Layers(0)
    x = net.activation([1, 2, 4], 0.1, 3)
    other = net.reshape(x, [1, 4, 2])
    y = net.same("CONCATENATION", x, [1, 2, 6], [other], axis=2)
    assert "joins [1, 2, 4], [1, 4, 2] along dimension 2, which do not fit" in refusal(net.build(x, y))
