# SPDX-License-Identifier: Apache-2.0
"""What the inputs and outputs of a file must be."""

from __future__ import annotations

import pytest

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph.types import DType, Quantisation, Tensor
from dimmer.firmware_gen.read.ends import MAX_ENDS, check_batch, check_boundary, existing

CODES = Quantisation((0.5,), (0,), 0)


def test_ends_are_tensors_of_the_file() -> None:
    assert existing((3, 0), 4, "input", "net") == (3, 0)
    assert existing((1, 1), 4, "output", "net") == (1, 1)
    for indexes, why in (
        ((), "0 inputs, 1 to 32 can be"),
        ((0,) * (MAX_ENDS + 1), "33 inputs"),
        ((1, 1), "has one tensor as two of its inputs"),
        ((4,), "its input is tensor 4 of 4"),
    ):
        with pytest.raises(FirmwareGenError, match=why):
            existing(indexes, 4, "input", "net")


def test_a_batch_is_told() -> None:
    check_batch(Tensor("x", (4,), DType.INT8, CODES, None), "net")
    with pytest.raises(FirmwareGenError, match="has a batch of 4, a firmware takes one at a time"):
        check_batch(Tensor("x", (4, 2), DType.INT8, CODES, None), "net")


@pytest.mark.parametrize("dtype", [DType.INT32, DType.BOOL, DType.FLOAT32])
def test_inputs_without_codes_need_no_scale(dtype: DType) -> None:
    check_boundary(Tensor("x", (1, 2), dtype, None, None), "input", "net")


def test_what_no_input_can_be_is_told() -> None:
    with pytest.raises(FirmwareGenError, match="the input x is int64; export it as int32"):
        check_boundary(Tensor("x", (1, 2), DType.INT64, None, None), "input", "net")
    with pytest.raises(FirmwareGenError, match="x has no scale and zero point"):
        check_boundary(Tensor("x", (1, 2), DType.INT8, None, None), "input", "net")
    # What CAST gives has none.
    check_boundary(Tensor("y", (1, 2), DType.INT8, None, None), "output", "net")
