"""Numbers and foreign names as C text."""

from __future__ import annotations

import pytest

from dimmer.firmware_gen.emit.text import comment, describe_end, quoted, rows
from dimmer.firmware_gen.graph.types import DType, Quantisation, Tensor
from tests.firmware_gen.nasty import NASTY


@pytest.mark.parametrize("name", NASTY)
def test_comments_and_strings(name: str) -> None:
    for text in (comment(name), quoted(name)):
        assert text.isascii()
        assert text.isprintable()
        assert "*/" not in text
        assert "??" not in text
        assert len(text) <= 62


def test_ends_are_told_in_words() -> None:
    quantised = Tensor("x", (1, 8, 3), DType.INT8, Quantisation((0.5,), (-3,)), None)
    assert describe_end(quantised) == "int8[1,8,3], scale 0.5, zero point -3"
    assert describe_end(Tensor("y", (2,), DType.FLOAT32, None, None)) == "float32[2]"


def test_numbers_in_rows() -> None:
    assert list(rows(range(5), 2)) == ["    0, 1,", "    2, 3,", "    4,"]
    assert list(rows(range(4), 2, last_comma=False)) == ["    0, 1,", "    2, 3"]
    # C has no literal for it.
    assert list(rows([-(2**31)], 2)) == ["    (-2147483647 - 1),"]
    assert list(rows([], 2)) == []
