# SPDX-License-Identifier: Apache-2.0
"""What goes into the flash, from an ELF file."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from dimmer.targets import TargetError
from dimmer.targets.kit.memory import Memory, Region
from dimmer.targets.runners.image import boot2_crc, image_of

MEMORY = Memory(Region(0x1000, 0x100), Region(0x20000000, 0x100))


def elf(path: Path, *segments: tuple[int, bytes]) -> Path:
    """An ELF file of 32 bits with these segments, each with its address in flash."""
    at = 52 + 32 * len(segments)
    head = b"\x7fELF" + bytes([1, 1, 1]) + bytes(9)
    head += struct.pack("<HHIIIIIHHHHHH", 2, 40, 1, 0x1000, 52, 0, 0, 52, 32, len(segments), 40, 0, 0)
    table, content = b"", b""
    for address, data in segments:
        table += struct.pack("<8I", 1, at + len(content), 0x20000000, address, len(data), len(data), 5, 4)
        content += data
    path.write_bytes(head + table + content)
    return path


def test_gaps_are_as_erased_flash(tmp_path: Path) -> None:
    path = elf(tmp_path / "a.elf", (0x1004, b"lamp"), (0x1000, b"ab"))
    assert image_of(path, MEMORY) == b"ab\xff\xfflamp"


def test_bytes_outside_the_flash_are_refused(tmp_path: Path) -> None:
    path = elf(tmp_path / "a.elf", (0x10FE, b"lamp"))
    with pytest.raises(
        TargetError, match=r"a\.elf has bytes at 0x000010fe, outside the flash from 0x00001000 to 0x0000"
    ):
        image_of(path, MEMORY)


def test_what_is_no_program_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.elf").write_bytes(b"lamp")
    with pytest.raises(TargetError, match="is no ELF file that can be read"):
        image_of(tmp_path / "b.elf", MEMORY)
    with pytest.raises(TargetError, match="has nothing for the flash"):
        image_of(elf(tmp_path / "c.elf"), MEMORY)


def test_the_crc_of_boot2_has_its_published_check_value() -> None:
    assert boot2_crc(b"123456789") == 0x0376E6E7
