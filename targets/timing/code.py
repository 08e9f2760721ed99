# SPDX-License-Identifier: Apache-2.0
"""A firmware's Thumb instructions, from the disassembler of its own toolchain."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from dimmer import children
from dimmer.targets.timing.errors import NotModelledError

_FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
_LINE = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*([^;@]*)")
_REGISTER = re.compile(r"\b(?:r\d+|sb|sl|fp|ip|sp|lr|pc)\b")
_NUMBERS = {**{f"r{i}": i for i in range(16)}, "sb": 9, "sl": 10, "fp": 11, "ip": 12, "sp": 13, "lr": 14, "pc": 15}
_LIST = re.compile(r"\{(.*?)\}")
_ADDRESS = re.compile(r"\[(.*?)\]")
SP, PC = 13, 15


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    Attributes:
        mnemonic: in unified syntax, such as "ldr.w".
        operands: behind it, as the disassembler writes them.
    """

    mnemonic: str
    operands: str

    @cached_property
    def first(self) -> frozenset[int]:
        """The number of the register that is named first, which is what most instructions write."""
        return frozenset(_numbers(self.operands.partition(",")[0].strip()))

    @cached_property
    def first_two(self) -> frozenset[int]:
        """As `first`, of the two that a long multiplication writes."""
        return frozenset(_numbers(",".join(self.operands.split(",")[:2])))

    @cached_property
    def address(self) -> frozenset[int]:
        """Numbers of the registers that an address is made of; empty where there is none."""
        within = _ADDRESS.search(self.operands)
        if within is not None:
            return frozenset(_numbers(within[1]))
        if self.operands.startswith("{"):
            return frozenset((SP,))
        return self.first if "{" in self.operands else frozenset()

    @cached_property
    def offset_in_register(self) -> bool:
        """Whether the address is the sum of two registers."""
        within = _ADDRESS.search(self.operands)
        return within is not None and len(_numbers(within[1])) > 1

    @cached_property
    def words(self) -> int:
        """How many words the registers between braces hold."""
        within = _LIST.search(self.operands)
        return len(self.listed) * (2 if within is not None and within[1].strip().startswith("d") else 1)

    @cached_property
    def listed(self) -> tuple[int, ...]:
        """Numbers of the registers between braces; of the FPU's, too, counted from 100."""
        found: list[int] = []
        within = _LIST.search(self.operands)
        for part in () if within is None else within[1].split(","):
            first, _, last = part.strip().partition("-")
            found += range(_listed(first), _listed(last or first) + 1)
        return tuple(found)


def _numbers(text: str) -> list[int]:
    return [_NUMBERS[name] for name in _REGISTER.findall(text)]


def _listed(name: str) -> int:
    name = name.strip()
    return _NUMBERS[name] if name in _NUMBERS else 100 + int(name[1:])


@dataclass(frozen=True)
class Code:
    """Every instruction of a firmware.

    Attributes:
        at: address -> instruction.
        function: address -> the symbol that it belongs to.
        following: address -> that of the next instruction.
    """

    at: Mapping[int, Instruction]
    function: Mapping[int, str]
    following: Mapping[int, int]


def read_code(elf: Path, objdump: str, options: Sequence[str] = ()) -> Code:
    """Disassemble a firmware.

    Args:
        objdump: the command.
        options: for a file that is no ELF file.

    Raises:
        NotModelledError: there is no such command, or it fails.
    """
    try:
        # A file that is no ELF file has no section of code, and is disassembled whole.
        said = children.run([objdump, "-D" if options else "-d", "--no-show-raw-insn", *options, elf])
    except OSError as error:
        raise NotModelledError(f"{objdump} cannot be run: {error.strerror}") from error
    if said.returncode:
        raise NotModelledError(f"{objdump} {children.how_it_ended(said.returncode)}")
    return parse_code(said.stdout)


class Span(Protocol):
    """Where a block lies: addresses of its first instruction and behind its last."""

    @property
    def first(self) -> int:
        """Of its first instruction."""

    @property
    def end(self) -> int:
        """Behind its last one."""


def code_of_blocks(binary: bytes, origin: int, spans: Iterable[Span], objdump: str) -> Code:
    """The instructions of some blocks of a binary that has no symbols; all of one function without a name.

    Args:
        binary: as it lies in memory.
        origin: its first address.
        spans: the blocks; what lies between them may be data.
        objdump: the command.

    Raises:
        NotModelledError: a block lies elsewhere, or the disassembler fails.
    """
    at: dict[int, Instruction] = {}
    following: dict[int, int] = {}
    ranges = sorted({(span.first, span.end) for span in spans})
    joined, places = bytearray(), []
    for first, end in ranges:
        if not origin <= first < end <= origin + len(binary):
            raise NotModelledError(f"the block at {first:#x} lies outside the binary, from {origin:#x} on")
        places.append((len(joined), first))
        joined += binary[first - origin : end - origin]
    with children.scratch() as work:
        (work / "blocks.bin").write_bytes(joined)
        options = ("--target=binary", "--architecture=arm", "--disassembler-options=force-thumb")
        listed = read_code(work / "blocks.bin", objdump, options)
    # Blocks hold whole instructions, so that none begins in one block and ends in the next.
    starts = [start for start, _ in places]
    for address, instruction in listed.at.items():
        start, first = places[bisect_right(starts, address) - 1]
        at[first + address - start] = instruction
        if address in listed.following:
            following[first + address - start] = first + listed.following[address] - start
    return Code(at, dict.fromkeys(at, ""), following)


def parse_code(text: str) -> Code:
    """What a disassembler wrote."""
    at: dict[int, Instruction] = {}
    function: dict[int, str] = {}
    known: dict[tuple[str, str], Instruction] = {}
    name = ""
    for line in text.splitlines():
        if (head := _FUNCTION.match(line)) is not None:
            name = head[1]
        elif (found := _LINE.match(line)) is not None:
            address, words = int(found[1], 16), (found[2], found[3].strip())
            at[address] = known.setdefault(words, Instruction(*words))
            function[address] = name
    order = list(at)
    return Code(at, function, dict(pairwise(order)))
