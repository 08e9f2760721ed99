# SPDX-License-Identifier: Apache-2.0
"""Packed scale records come back bit by bit, or stay as they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dimmer.firmware_gen.npu.scales import PACKED, RECORD, Packing, first_shift, fitting, pack, packable, unpack

BIAS = st.integers(-1 << 21, (1 << 21) - 1)
SCALE = st.integers(1 << 30, (1 << 31) - 1)


def record(bias: int, scale: int, shift: int) -> bytes:
    return bias.to_bytes(5, "little", signed=True) + scale.to_bytes(4, "little") + bytes([shift])


@given(st.lists(st.tuples(BIAS, SCALE, st.integers(0, 14)), min_size=8, max_size=8), st.integers(0, 49))
def test_records_come_back(channels: list[tuple[int, int, int]], first: int) -> None:
    records = b"".join(record(bias, scale, first + apart) for bias, scale, apart in channels)
    assert packable(records)
    packed = pack(records, first)
    assert len(packed) == len(records) // RECORD * PACKED
    assert unpack(packed, first) == records


def test_a_channel_without_weights_comes_back() -> None:
    records = record(-5, 0, 0) * 8
    assert packable(records)
    assert unpack(pack(records, 30), 30) == records


@pytest.mark.parametrize(
    "records",
    [
        b"",
        record(0, 1 << 30, 40) * 7,
        record(1 << 21, 1 << 30, 40) * 8,
        record(-(1 << 21) - 1, 1 << 30, 40) * 8,
        record(0, 1 << 31, 40) * 8,
        record(0, 12345, 40) * 8,
        record(0, 0, 40) * 8,
    ],
)
def test_what_does_not_fit_stays(records: bytes) -> None:
    assert not packable(records)


def test_shifts_count_from_where_most_records_fit() -> None:
    far, near = record(1, 1 << 30, 10) * 8, [record(2, 1 << 30, 38) * 8, record(3, 1 << 30, 45) * 8]
    first = first_shift([far, *near])
    assert first == 38
    assert fitting([far, *near], first) == near
    assert first_shift([]) == 0


def runs(*biases: int) -> list[bytes]:
    return [
        b"".join(
            (bias + at).to_bytes(5, "little", signed=True) + (1 << 30).to_bytes(4, "little") + bytes([40])
            for at in range(8)
        )
        for bias in biases
    ]


def test_what_two_streams_share_lies_once_between_what_each_has_alone() -> None:
    first, both, second, third = runs(0, 100, 200, 300)
    found = Packing.of({second: [2], both: [1, 2], first: [1], third: [3]}, 4)
    assert len(found.content) == 4 * 8 * PACKED
    assert [unpack(found.of_stream(at), found.first) for at in range(4)] == [
        b"",
        first + both,
        both + second,
        third,
    ]
    assert found.offsets == ({}, {first: 0, both: 80}, {both: 0, second: 80}, {third: 0})
    assert [(size, users) for _, size, users in found.pieces] == [
        (8 * PACKED, (1,)),
        (8 * PACKED, (1, 2)),
        (8 * PACKED, (2,)),
        (8 * PACKED, (3,)),
    ]
