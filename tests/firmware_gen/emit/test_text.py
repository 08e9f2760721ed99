# SPDX-License-Identifier: Apache-2.0
"""Names and numbers as C text."""

from __future__ import annotations

import pytest

from dimmer.firmware_gen.emit.text import comment, describe_end, described_shape, quoted, rows
from dimmer.firmware_gen.graph.types import DType, Quantisation, Tensor
from tests.firmware_gen.emit.nasty import NASTY


@pytest.mark.parametrize("name", NASTY)
def test_comments_and_strings(name: str) -> None:
    for text in (comment(name), quoted(name)):
        assert text.isascii()
        assert text.isprintable()
        assert "*/" not in text
        assert "??" not in text
        assert len(text) <= 62


def test_an_end_is_told_with_type_shape_scale_and_zero_point() -> None:
    coded = Tensor("x", (1, 2, 3), DType.INT8, Quantisation((0.1,), (-7,)), None)
    assert describe_end(coded) == "int8[1,2,3], scale 0.1, zero point -7"
    assert describe_end(Tensor("x", (4,), DType.FLOAT32, None, None)) == "float32[4]"


def test_the_shape_of_an_end_is_read_again() -> None:
    for shape in ((1, 9, 1000, 3), (7,), ()):
        for quantisation in (Quantisation((0.5,), (3,)), None):
            tensor = Tensor("x", shape, DType.INT8, quantisation, None)
            assert described_shape(describe_end(tensor)) == shape
    assert described_shape("3 bytes") is None


def test_numbers_stand_in_rows_and_the_least_int32_is_no_literal() -> None:
    assert list(rows([1, 2, 3], 2)) == ["    1, 2,", "    3,"]
    assert list(rows([1, 2, 3], 2, last_comma=False)) == ["    1, 2,", "    3"]
    assert list(rows([-(2**31)], 8)) == ["    (-2147483647 - 1),"]
