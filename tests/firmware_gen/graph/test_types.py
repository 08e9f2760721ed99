# SPDX-License-Identifier: Apache-2.0
"""Sizes and names of what a graph is made of."""

from __future__ import annotations

import pytest

from dimmer.firmware_gen.graph.types import DType, Graph, Logistic, Operator, Quantisation, Tensor


@pytest.mark.parametrize(("dtype", "size"), [("int8", 24), ("uint8", 24), ("int32", 96), ("float32", 96)])
def test_a_tensor_has_its_elements_bytes(dtype: str, size: int) -> None:
    tensor = Tensor("x", (1, 2, 3, 4), DType(dtype), None, None)
    assert (tensor.elements, tensor.size, tensor.constant) == (24, size, False)


def test_a_scalar_has_one_element_and_may_be_a_constant() -> None:
    assert Tensor("x", (), DType.INT32, None, bytes(4)).elements == 1
    assert Tensor("x", (0,), DType.INT8, None, b"").constant


def test_a_tensor_without_quantisation_says_its_name() -> None:
    with pytest.raises(ValueError, match="lamp is not quantised"):
        _ = Tensor("lamp", (1,), DType.FLOAT32, None, None).q


def test_one_scale_is_per_tensor_and_two_are_per_channel() -> None:
    one, two = Quantisation((0.5,), (3,)), Quantisation((0.5, 0.25), (0, 0))
    assert (one.scale, one.zero_point, one.per_channel, two.per_channel) == (0.5, 3, False, True)


def test_an_operator_is_found_by_file_place_and_output() -> None:
    tensors = tuple(Tensor(name, (1,), DType.INT8, None, None) for name in ("in", "out"))
    operator = Operator(7, "LOGISTIC", Logistic(), (0,), 1)
    assert Graph("net.tflite", tensors, (operator,), 0, 1).where(operator) == "net.tflite: operator 7 LOGISTIC (out)"
