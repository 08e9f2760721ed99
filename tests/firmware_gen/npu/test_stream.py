# SPDX-License-Identifier: Apache-2.0
"""Words of a command stream <-> commands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.npu.registers import CODES, LONG
from dimmer.firmware_gen.npu.stream import Command, Registers, commands, signed16, words_of

SIXTEEN, WORD = st.integers(0, 0xFFFF), st.integers(0, 0xFFFF_FFFF)
LONG_NAMES = set(LONG.values())


@st.composite
def command(draw: st.DrawFn) -> Command:
    name = draw(st.sampled_from(sorted(CODES)))
    return Command(name, draw(SIXTEEN), draw(WORD) if name in LONG_NAMES else None)


@given(st.lists(command(), max_size=8))
def test_commands_come_back(stream: list[Command]) -> None:
    assert list(commands(words_of(stream))) == stream


@given(st.lists(WORD, max_size=6))
def test_any_words_are_commands_or_an_error(words: list[int]) -> None:
    try:
        found = words_of(commands(words))
    except FirmwareGenError:
        return
    assert list(found) == words


def test_an_unknown_code_and_a_cut_stream_are_told() -> None:
    with pytest.raises(FirmwareGenError, match="0x000003ff at word 0"):
        list(commands([0x3FF]))
    with pytest.raises(FirmwareGenError, match="ends within"):
        list(commands([0x4000 | CODES["WEIGHT_BASE"]]))


def test_registers_keep_values_and_parameters() -> None:
    held = Registers()
    held.set(Command("OFM_SCALE", 38, 1 << 30))
    held.set(Command("IFM_REGION", 1))
    assert (held["OFM_SCALE"], held["OFM_SCALE#"], held["IFM_REGION"]) == (1 << 30, 38, 1)
    with pytest.raises(FirmwareGenError, match="OPA_SCALE before it sets it"):
        held["OPA_SCALE"]


def test_signs() -> None:
    assert [signed16(value) for value in (0, 0x7FFF, 0x8000, 0xFFFF)] == [0, 32767, -32768, -1]
