# SPDX-License-Identifier: Apache-2.0
"""The driver's payload."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.npu.payload import ALIGN, MAGIC, Payload, read_payload

HEAD = (0x100001, 0x1807, 0x10066001)


@given(st.lists(st.integers(0, 0xFFFF_FFFF), max_size=20))
def test_a_payload_comes_back_and_its_stream_is_aligned(stream: list[int]) -> None:
    payload = Payload(*HEAD, tuple(stream))
    data = payload.pack()
    assert read_payload(data) == payload
    assert (len(data) - 4 * len(stream)) % ALIGN == 0


def test_it_names_the_npu() -> None:
    names = {config: Payload(0, config, 0, ()).accelerator for config in (0x1807, 0x3008, 0x10006009, 0x20000118)}
    assert list(names.values()) == ["ethos-u55-128", "ethos-u55-256", "ethos-u65-512", "ethos-u85-256"]


def test_a_long_stream_has_its_length_in_two_parts() -> None:
    assert len(read_payload(Payload(*HEAD, (5,) * 70_000).pack()).stream) == 70_000


def said_of(content: bytes) -> str:
    """What is wrong with a payload; any other error fails the test."""
    try:
        read_payload(content)
    except FirmwareGenError as error:
        return str(error)
    return ""


@given(st.binary(max_size=64))
def test_any_bytes_are_a_payload_or_one_line(data: bytes) -> None:
    for content in (data, MAGIC + data):
        assert "\n" not in said_of(content)


@pytest.mark.parametrize("cut", [1, 4, 16, 33, 36])
def test_a_cut_payload_is_refused(cut: int) -> None:
    data = Payload(*HEAD, (1, 2, 3)).pack()
    with pytest.raises(FirmwareGenError):
        read_payload(data[:-cut])
