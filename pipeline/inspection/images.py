# SPDX-License-Identifier: Apache-2.0
"""Images of firmware: ELF, Intel HEX, UF2 and plain binaries, told apart by what is in them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import AttributesSection, SymbolTableSection

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.tables import ABI
from dimmer.pipeline.inspection.facts import FileFacts

MAGIC = 0x524D4D44
"""DIMMER_MAGIC of dimmer_tables.h: a model's tables begin with it."""

SUFFIXES = (".elf", ".hex", ".uf2", ".bin")

_UF2_START, _UF2_SECOND, _UF2_END, _UF2_BLOCK, _UF2_FAMILY = 0x0A324655, 0x9E5D5157, 0x0AB16F30, 512, 0x2000
_FAMILIES: Mapping[int, str] = {0xE48BFF56: "RP2040", 0xE48BFF59: "RP2350, Arm", 0xADA52840: "nRF52840"}
_DATA, _END, _SEGMENT, _LINEAR = 0, 1, 2, 4
"""Types of an Intel HEX record that carry bytes, the end, or the upper half of an address."""


@dataclass(frozen=True)
class _Piece:
    """Bytes at an address."""

    address: int
    content: bytes


_Read = tuple[str, tuple[tuple[str, str], ...], tuple[_Piece, ...]]
"""What kind of image it is, what is known of it, its bytes."""


def inspect_image(path: Path) -> FileFacts:
    """What an image is for, where its bytes go, and which models are in it.

    Raises:
        DimmerError: it cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DimmerError(f"{path} cannot be read ({error.strerror}); check the path") from error
    reader: Callable[[Path, bytes], _Read] = _plain
    if content[:4] == b"\x7fELF":
        reader = _elf
    elif content[:4] == struct.pack("<I", _UF2_START):
        reader = _uf2
    elif path.suffix == ".hex" or (content[:1] == b":" and content[:9].isascii()):
        reader = _hex
    try:
        kind, facts, pieces = reader(path, content)
    except (ValueError, struct.error) as error:
        kind, facts, pieces = "image", (), ()
        problems: tuple[str, ...] = (f"it is damaged ({error}): build it again",)
    else:
        models = tuple(_models(pieces))
        problems = tuple(why for _, why in models if why)
        facts = (*facts, *(("model", text) for text, _ in models))
        if not models:
            facts = (*facts, ("model", "none of Dimmer's"))
    return FileFacts(str(path), kind, len(content), facts, problems)


def _elf(path: Path, _content: bytes) -> _Read:
    try:
        return _read_elf(path)
    except Exception as error:  # pyelftools ends in whatever a broken table leads it to
        raise ValueError(" ".join(f"{type(error).__name__}: {error}".split())) from error


def _read_elf(path: Path) -> _Read:
    with path.open("rb") as stream:
        elf = ELFFile(stream)
        loaded = [segment for segment in elf.iter_segments() if segment["p_type"] == "PT_LOAD"]
        pieces = tuple(_Piece(s["p_vaddr"], s.data()) for s in loaded if s["p_filesz"])
        for segment, size in ((s, len(s.data())) for s in loaded):
            if size != segment["p_filesz"]:
                raise ValueError("a segment is cut short")
        facts = [
            ("machine", f"{elf.get_machine_arch()}, {elf.elfclass} bits, {_endian(elf)}{_attributes(elf)}"),
            ("entry", f"{elf['e_entry']:#x}"),
        ]
        facts += [
            (
                "segment",
                f"{s['p_vaddr']:#010x}: {s['p_memsz']:,} bytes, {s['p_filesz']:,} of them in the file, "
                f"{_rights(s['p_flags'])}",
            )
            for s in loaded
        ]
        symbols = [s for s in elf.iter_sections() if isinstance(s, SymbolTableSection)]
        entries = {symbol.name for table in symbols for symbol in table.iter_symbols()}
        found = [name for name in ("dimmer_init", "dimmer_invoke", "dimmer_govern") if name in entries]
        facts.append(("runtime", ", ".join(found) if found else "no entry points of Dimmer's among its symbols"))
    return "ELF", tuple(facts), pieces


def _endian(elf: ELFFile) -> str:
    return "little-endian" if elf.little_endian else "big-endian"


def _attributes(elf: ELFFile) -> str:
    """What the compiler says the code was made for."""
    for name in (".ARM.attributes", ".riscv.attributes"):
        section = elf.get_section_by_name(name)
        if not isinstance(section, AttributesSection):
            continue
        for attribute in section.iter_subsections():
            for part in attribute.iter_subsubsections():
                for item in part.iter_attributes():
                    if item.tag in ("TAG_CPU_NAME", "TAG_ARCH"):
                        return f", {item.value}"
    return ""


def _rights(flags: int) -> str:
    return "".join(letter if flags & bit else "-" for letter, bit in (("r", 4), ("w", 2), ("x", 1)))


def _uf2(_path: Path, content: bytes) -> _Read:
    if len(content) % _UF2_BLOCK:
        raise ValueError(f"{len(content)} bytes are no whole blocks of {_UF2_BLOCK}")
    pieces, families = [], set()
    count = len(content) // _UF2_BLOCK
    for number in range(count):
        block = content[number * _UF2_BLOCK : (number + 1) * _UF2_BLOCK]
        start, second, flags, address, size, place, total, family = struct.unpack_from("<8I", block)
        (end,) = struct.unpack_from("<I", block, _UF2_BLOCK - 4)
        if (start, second, end) != (_UF2_START, _UF2_SECOND, _UF2_END) or size > _UF2_BLOCK - 36:
            raise ValueError(f"block {number} is none of UF2's")
        if (place, total) != (number, count):
            raise ValueError(f"block {number} says that it is {place} of {total}; the file has {count}")
        if flags & _UF2_FAMILY:
            families.add(family)
        pieces.append(_Piece(address, block[32 : 32 + size]))
    names = ", ".join(_FAMILIES.get(family, f"family {family:#010x}") for family in sorted(families)) or "any board"
    joined = tuple(_joined(pieces))
    return "UF2", (("for", names), *_ranges(joined)), joined


def _hex(_path: Path, content: bytes) -> _Read:
    pieces, upper, ended = [], 0, False
    for number, line in enumerate(content.decode("ascii").split(), 1):
        try:
            record = bytes.fromhex(line.removeprefix(":"))
        except ValueError:
            record = b""
        if not line.startswith(":") or len(record) < 5 or len(record) != record[0] + 5 or ended:
            raise ValueError(f"line {number} is no record")
        if sum(record) & 0xFF:
            raise ValueError(f"line {number} has a wrong checksum")
        address, kind, body = int.from_bytes(record[1:3], "big"), record[3], record[4:-1]
        if kind == _DATA:
            pieces.append(_Piece(upper + address, body))
        elif kind == _END:
            ended = True
        elif kind in (_SEGMENT, _LINEAR):
            upper = int.from_bytes(body, "big") << (4 if kind == _SEGMENT else 16)
    if not ended:
        raise ValueError("it ends before its end record")
    joined = tuple(_joined(pieces))
    return "Intel HEX", _ranges(joined), joined


def _plain(_path: Path, content: bytes) -> _Read:
    if not content:
        raise ValueError("it is empty")
    facts = []
    if len(content) >= 8:
        stack, reset = struct.unpack_from("<2I", content)
        # Bits 31:29 of a Cortex-M's addresses: 001 is SRAM; the reset vector is odd, for Thumb.
        if stack >> 29 == 1 and stack % 4 == 0 and reset & 1:
            facts.append(("vectors", f"a Cortex-M's: stack from {stack:#010x}, reset at {reset - 1:#010x}"))
    return "plain image", tuple(facts), (_Piece(0, content),)


def _joined(pieces: list[_Piece]) -> Iterator[_Piece]:
    """Neighbours as one piece, by address."""
    at, parts = 0, bytearray()
    for piece in sorted(pieces, key=lambda piece: piece.address):
        if parts and piece.address != at + len(parts):
            yield _Piece(at, bytes(parts))
            parts = bytearray()
        if not parts:
            at = piece.address
        parts += piece.content
    if parts:
        yield _Piece(at, bytes(parts))


def _ranges(pieces: tuple[_Piece, ...]) -> tuple[tuple[str, str], ...]:
    return tuple(("bytes", f"{len(piece.content):,} at {piece.address:#010x}") for piece in pieces)


def _models(pieces: tuple[_Piece, ...]) -> Iterator[tuple[str, str]]:
    """A model's tables begin with a magic number and the ABI: what to say of them, and what is wrong."""
    magic = struct.pack("<I", MAGIC)
    for piece in pieces:
        at = piece.content.find(magic)
        while at >= 0:
            if at % 4 == 0 and at + 8 <= len(piece.content):
                (abi,) = struct.unpack_from("<I", piece.content, at + 4)
                # The engine compares with the same number, which lies in its code.
                if abi and abi < 1 << 16:
                    note = "" if abi == ABI else f"its tables are of ABI {abi}, this Dimmer has {ABI}: build it again"
                    yield f"tables at {piece.address + at:#010x}, ABI {abi}", note
            at = piece.content.find(magic, at + 1)
