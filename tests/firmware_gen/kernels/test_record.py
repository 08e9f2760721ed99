# SPDX-License-Identifier: Apache-2.0
"""Records as the C structs are: wide fields first, no padding, whole words."""

from __future__ import annotations

import struct

import pytest

from dimmer.firmware_gen.kernels.families import KERNELS
from dimmer.firmware_gen.kernels.record import (
    CType,
    Field,
    Kernel,
    Record,
    holding,
    i8,
    kernel,
    sharing,
    u8,
    u16,
    u32,
)

INNER = kernel("inner", "Text.", *u32("input", "output"), *u16("dims", count=2), *i8("value"), *u8("reserved", count=3))


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_a_record_needs_no_padding(kernel: Kernel) -> None:
    offset = 0
    for item in kernel.fields:
        assert offset % struct.calcsize(item.code) == 0, item.name
        offset += item.size
    assert offset == kernel.record_size
    assert offset % 4 == 0


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_no_two_fields_have_one_name(kernel: Kernel) -> None:
    assert len({item.name for item in kernel.fields}) == len(kernel.fields)


def test_a_record_is_packed_little_endian_and_field_by_field() -> None:
    packed = INNER.pack((1, 2, (3, 4), -1, (0, 0, 0)))
    assert packed == bytes.fromhex("01000000 02000000 0300 0400 ff 000000")
    assert INNER.record_size == len(packed) == INNER.record.size


def test_a_number_that_does_not_fit_is_told() -> None:
    with pytest.raises(struct.error):
        INNER.pack((1, 2, (3, 1 << 16), -1, (0, 0, 0)))


def test_a_record_within_a_record_lends_its_fields() -> None:
    outer = kernel("outer", "", holding("first", INNER), holding("second", INNER, "second_"), *u32("scratch"))
    names = [(item.name, item.path) for item in outer.fields]
    assert names[:2] == [("input", "first.input"), ("output", "first.output")]
    assert names[5:7] == [("second_input", "second.input"), ("second_output", "second.output")]
    assert names[-1] == ("scratch", "")
    assert outer.record_size == 2 * INNER.record_size + 4
    assert [item.name for item in outer.fields if item.reserved] == ["reserved", "second_reserved"]


def test_kernels_are_told_apart_by_name_and_record() -> None:
    other = sharing(INNER.record, "other", "The same.")
    assert other.fields == INNER.fields
    assert other != INNER
    assert Kernel("inner", INNER.record, "Another text.") == INNER
    assert Kernel("inner", Record("inner", (Field("input", CType.U32),))) != INNER
