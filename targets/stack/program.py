# SPDX-License-Identifier: Apache-2.0
"""A linked program as its disassembly and its symbols tell it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import ARMAttributesSection, SymbolTableSection

from dimmer import children
from dimmer.targets.kit.errors import TargetError

ARM, RISCV = "EM_ARM", "EM_RISCV"
CORES = (ARM, RISCV)

# Helium is decoded only where it is asked for; on older cores the same bytes mean the same with it.
_OPTIONS: Mapping[str, tuple[str, ...]] = {ARM: ("-m", "armv8.1-m.main"), RISCV: ()}
_LINE = re.compile(r"^ *([0-9a-f]+):\t(\S+)(?:\t([^\n]*))?$", re.MULTILINE)
_COMMENT = re.compile(r"\s+[@;#]\s")
_SUFFIX = re.compile(r"(\.(part|constprop|isra|cold|lto_priv)(\.\d+)?)+$|\.\d+$")


_JUMPS: Mapping[str, frozenset[int]] = {
    # THM_CALL, THM_JUMP24, THM_JUMP19, THM_JUMP11, THM_JUMP8, and PREL31 of the tables for unwinding.
    ARM: frozenset((10, 30, 51, 102, 103, 42)),
    # BRANCH, JAL, CALL, CALL_PLT, RVC_BRANCH, RVC_JUMP; PCREL_LO12 names the place of the other half.
    RISCV: frozenset((16, 17, 18, 19, 44, 45, 24, 25)),
}
"""Relocations of calls and jumps; all others mean an address that is held."""


class UnprovenError(TargetError):
    """Why nothing is proven of a function: one clause, which names it."""


@dataclass(frozen=True)
class Instruction:
    """A line of the disassembly.

    Attributes:
        address: where it stands.
        next: where the line behind it stands.
        comment: what the disassembler adds: the address that it computes, for one.
    """

    address: int
    next: int
    mnemonic: str
    operands: str
    comment: str

    @property
    def is_data(self) -> bool:
        """Whether it stands there to be read."""
        return self.mnemonic.startswith(".")

    def __str__(self) -> str:
        """As a person writes it."""
        return f"{self.mnemonic} {self.operands}".strip()


@dataclass(frozen=True)
class Symbol:
    """A function or an object.

    Attributes:
        file: the C file that a local one is from; empty for globals, and where nothing tells it.
        size: its bytes; 0 where nothing tells.
    """

    name: str
    file: str
    address: int
    size: int
    is_function: bool

    @property
    def plain(self) -> str:
        """The name in C, without what compilers append to copies and parts."""
        return _SUFFIX.sub("", self.name)


@dataclass(frozen=True)
class Program:
    """A linked program.

    Attributes:
        machine: of CORES.
        entry: where it starts.
        floats: whether it was compiled for a core with an FPU.
        instructions: by address.
        functions: by rising address; of several names for one place the global one.
        objects: as functions.
        sections: address and contents of what is kept in flash or copied from there.
        pointers: where an address of a function stands, in code or in data, and which; None where the program was
            linked without its relocations, which tell it.
    """

    machine: str
    entry: int
    floats: bool
    instructions: Mapping[int, Instruction]
    functions: Sequence[Symbol]
    objects: Sequence[Symbol]
    sections: Sequence[tuple[int, bytes]]
    pointers: Sequence[tuple[int, Symbol]] | None = None

    @cached_property
    def _starts(self) -> list[int]:
        return [function.address for function in self.functions]

    @classmethod
    def read(cls, elf: Path, objdump: str) -> Program:
        """Disassembles a program.

        Raises:
            TargetError: the file is no ELF file of a core that is known here, or the disassembler cannot be run.
        """
        machine, entry, floats, symbols, sections, targets = _read_elf(elf)
        if machine not in CORES:
            raise TargetError(f"{elf.name} is for {machine}: stack is proven of Arm and RISC-V cores alone")
        functions = _placed(symbol for symbol in symbols if symbol.is_function)
        if machine == ARM:
            entry &= ~1
        found = cls(
            machine,
            entry,
            floats,
            _disassembled(elf, objdump, machine),
            functions,
            _placed(symbol for symbol in symbols if not symbol.is_function),
            sections,
        )
        return found if targets is None else replace(found, pointers=list(found._pointers(targets)))

    def is_code(self, address: int) -> bool:
        """Whether an instruction begins there."""
        found = self.instructions.get(address)
        return found is not None and not found.is_data

    def function_at(self, address: int) -> Symbol | None:
        """The function whose code has this place."""
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return None
        found = self.functions[index]
        return found if found.size == 0 or address < found.address + found.size else None

    def name_of(self, address: int) -> str:
        """A place for messages."""
        found = self.function_at(address)
        if found is None:
            return f"{address:#x}"
        return found.name if found.address == address else f"{found.name}+{address - found.address:#x}"

    def named(self, name: str, file: str = "") -> list[Symbol]:
        """Functions of this name in C, copies and parts included; those of a file where it is given."""
        return [f for f in self.functions if f.plain == name and (not file or f.file in (file, ""))]

    def object_named(self, name: str) -> Symbol | None:
        """The object of this name in C."""
        return next((o for o in self.objects if o.plain == name), None)

    def word(self, address: int) -> int | None:
        """What four bytes hold; None where the file has nothing for them."""
        for start, contents in self.sections:
            if start <= address <= start + len(contents) - 4:
                return int.from_bytes(contents[address - start : address - start + 4], "little")
        return None

    def _pointers(self, targets: Sequence[tuple[int, int]]) -> Iterator[tuple[int, Symbol]]:
        for place, target in targets:
            # A relocation names a function, or the section that it is in; then the word has the address.
            for pointer in (target, self.word(place)):
                found = None if pointer is None else self.function_of(pointer)
                if found is not None:
                    yield place, found
                    break

    def pointers_in(self, symbol: Symbol) -> list[Symbol]:
        """Functions that an object's words point to."""
        words = [self.word(symbol.address + offset) for offset in range(0, symbol.size - 3, 4)]
        found = [self.function_of(word) for word in words if word is not None]
        return [function for function in found if function is not None]

    def function_of(self, pointer: int) -> Symbol | None:
        """The function that a word points to, as a core calls it."""
        if self.machine == ARM:
            if not pointer & 1:
                return None
            pointer &= ~1
        found = self.function_at(pointer)
        return found if found is not None and found.address == pointer else None


def _read_elf(elf: Path) -> tuple[str, int, bool, list[Symbol], list[tuple[int, bytes]], list[tuple[int, int]] | None]:
    floats = False
    targets: list[tuple[int, int]] | None = None
    symbols: list[Symbol] = []
    sections: list[tuple[int, bytes]] = []
    try:
        with elf.open("rb") as stream:
            file = ELFFile(stream)
            for section in file.iter_sections():
                if isinstance(section, SymbolTableSection):
                    symbols += _symbols(section)
                elif isinstance(section, RelocationSection):
                    if file.get_section(section["sh_info"])["sh_flags"] & 0x2:
                        targets = [*(targets or []), *_targets(section, file)]
                elif isinstance(section, ARMAttributesSection):
                    tags = [t for part in section.iter_subsections() for s in part.subsubsections for t in s.attributes]
                    floats = any(tag.tag == "TAG_FP_ARCH" for tag in tags)
                elif section["sh_flags"] & 0x2 and section["sh_type"] == "SHT_PROGBITS":
                    sections.append((section["sh_addr"], section.data()))
            machine, entry = file["e_machine"], file["e_entry"]
    except Exception as error:
        # Of a damaged file pyelftools raises whatever comes to it.
        raise TargetError(f"{elf} is no ELF file that can be read ({error}): remove it and build again") from error
    return str(machine), entry, floats, symbols, sections, targets


def _targets(relocations: RelocationSection, file: ELFFile) -> Iterator[tuple[int, int]]:
    """Places that hold an address, and the address as far as the relocation tells it; calls and jumps are none."""
    symbols, jumps = file.get_section(relocations["sh_link"]), _JUMPS.get(file["e_machine"], frozenset())
    if not isinstance(symbols, SymbolTableSection):
        return
    for relocation in relocations.iter_relocations():
        if relocation["r_info_type"] not in jumps:
            symbol = symbols.get_symbol(relocation["r_info_sym"])
            addend = relocation["r_addend"] if relocations.is_RELA() else 0
            yield relocation["r_offset"], symbol["st_value"] + addend


def _symbols(table: SymbolTableSection) -> Iterator[Symbol]:
    file = ""
    for symbol in table.iter_symbols():
        kind = symbol["st_info"]["type"]
        if kind == "STT_FILE":
            file = symbol.name
        elif kind in ("STT_FUNC", "STT_OBJECT") and isinstance(symbol["st_shndx"], int):
            function = kind == "STT_FUNC"
            local = symbol["st_info"]["bind"] == "STB_LOCAL"
            # Of Thumb code the lowest bit is set.
            address = symbol["st_value"] & ~1 if function else symbol["st_value"]
            yield Symbol(symbol.name, file if local else "", address, symbol["st_size"], function)


def _placed(symbols: Iterator[Symbol]) -> list[Symbol]:
    """One for each place, by address: the one with a size, the global one first."""
    found: dict[int, Symbol] = {}
    for symbol in symbols:
        known = found.get(symbol.address)
        if known is None or (symbol.size > 0, not symbol.file) > (known.size > 0, not known.file):
            found[symbol.address] = symbol
    return [found[address] for address in sorted(found)]


def _disassembled(elf: Path, objdump: str, machine: str) -> dict[int, Instruction]:
    command = [objdump, "-d", "-z", "--no-show-raw-insn", *_OPTIONS[machine], str(elf)]
    try:
        result = children.run(command)
    except OSError as error:
        raise TargetError(
            f"{objdump} cannot be run ({error.strerror}), which is needed to prove the stack: install the package "
            "of binutils that the compiler came with"
        ) from error
    if result.returncode != 0:
        said = [*result.stderr.strip().splitlines(), "no message"][0]
        raise TargetError(f"{objdump} {children.how_it_ended(result.returncode)}: {said}")
    lines = [(int(line[1], 16), line[2], line[3] or "") for line in _LINE.finditer(result.stdout)]
    if not lines:
        raise TargetError(f"{objdump} finds no code in {elf.name}: the stack cannot be proven")
    found = {}
    behind = [line[0] for line in lines[1:]]
    for (address, mnemonic, rest), following in zip(lines, [*behind, -1], strict=True):
        operands, *comments = _COMMENT.split(rest, maxsplit=1)
        found[address] = Instruction(address, following, mnemonic, operands.strip(), "".join(comments))
    return found
