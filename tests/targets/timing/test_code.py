# SPDX-License-Identifier: Apache-2.0
"""Instructions as the disassembler writes them."""

from pathlib import Path

import pytest

from dimmer.targets.timing.code import Instruction, code_of_blocks, parse_code, read_code
from dimmer.targets.timing.errors import NotModelledError
from dimmer.targets.timing.trace import Block

LISTING = """
firmware.elf:     file format elf32-littlearm

Disassembly of section .text:

00000100 <first>:
     100:\tpush\t{r4, lr}
     102:\tldr.w\tr3, [r0, #4]
     106:\tbl\t110 <second>
     10a:\tpop\t{r4, pc}
     10c:\t20000000 \t.word\t0x20000000

00000110 <second>:
     110:\tldr\tr2, [pc, #8]\t@ (11c <second+0xc>)
     112:\tbx\tlr
"""


def test_a_listing_is_instructions_by_address_and_function() -> None:
    code = parse_code(LISTING)
    assert code.at[0x102] == Instruction("ldr.w", "r3, [r0, #4]")
    assert code.at[0x110] == Instruction("ldr", "r2, [pc, #8]")
    assert (code.function[0x106], code.function[0x112]) == ("first", "second")
    assert code.following[0x102] == 0x106


@pytest.mark.parametrize(
    ("operands", "first", "address", "two_registers"),
    [
        ("r3, [r0, #4]", {3}, {0}, False),
        ("r3, [r0, ip, lsl #2]", {3}, {0, 12}, True),
        ("r3, [r1, r1]", {3}, {1}, True),
        ("r3, [sl], #4", {3}, {10}, False),
        ("r3, [r0, r1]", {3}, {0, 1}, True),
        ("r0!, {r4, r5}", {0}, {0}, False),
        ("{r4, pc}", {4}, {13}, False),
        ("r0, r1, r2", {0}, set(), False),
        ("", set(), set(), False),
    ],
)
def test_registers_are_told_by_their_place(
    operands: str, first: set[int], address: set[int], two_registers: bool
) -> None:
    found = Instruction("x", operands)
    assert (set(found.first), set(found.address)) == (first, address)
    assert found.offset_in_register == two_registers


def test_lists_tell_registers_and_words() -> None:
    assert Instruction("pop", "{r4-r6, pc}").listed == (4, 5, 6, 15)
    assert Instruction("ldmia.w", "r0!, {r4, sl, fp, ip}").words == 4
    assert Instruction("vldmia", "r0!, {s4-s7}").words == 4
    assert Instruction("vpush", "{d8-d9}").words == 4
    assert Instruction("mov", "r0, r1").words == 0
    assert Instruction("smlal", "r4, r5, r0, r1").first_two == {4, 5}


def test_blocks_outside_of_the_binary_are_a_reason() -> None:
    for first, end in ((0x90, 0x98), (0x100, 0x104)):
        with pytest.raises(NotModelledError, match=f"{first:#x} lies outside the binary, from 0x98 on"):
            code_of_blocks(bytes(0x68), 0x98, [Block(first, first, end, 1, 1, 0)], "objdump")


def test_a_disassembler_that_is_not_there_or_fails_is_a_reason(tmp_path: Path) -> None:
    with pytest.raises(NotModelledError, match="no-such-objdump cannot be run: No such file"):
        read_code(tmp_path / "firmware.elf", "no-such-objdump")
    with pytest.raises(NotModelledError, match="false ended with status 1"):
        read_code(tmp_path / "firmware.elf", "false")
