# SPDX-License-Identifier: Apache-2.0
"""What bundles read of TVM's modules."""

from __future__ import annotations

import pytest

from dimmer.pipeline.tvm.parts import TableTensor, dtype_of


@pytest.mark.parametrize(
    ("name", "code"), [("int8", (0, 8)), ("int32", (0, 32)), ("uint8", (1, 8)), ("float64", (2, 64))]
)
def test_element_types_are_dlpack_s(name: str, code: tuple[int, int]) -> None:
    assert dtype_of(name) == code


@pytest.mark.parametrize("name", ["bfloat16", "int", "8", ""])
def test_other_element_types_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"unknown element type {name}"):
        dtype_of(name)


def test_a_tensor_of_bytes_has_as_many_as_elements() -> None:
    assert TableTensor((1, 4, 5, 3), 0.5, 0).size == 60
    assert TableTensor((), 0.5, 0).size == 1
