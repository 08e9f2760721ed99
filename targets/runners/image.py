# SPDX-License-Identifier: Apache-2.0
"""What is written into a board's flash, taken from an ELF file."""

from __future__ import annotations

from pathlib import Path

from elftools.elf.elffile import ELFFile

from dimmer.targets.kit.errors import TargetError
from dimmer.targets.kit.memory import Memory

ERASED = 0xFF


def image_of(elf: Path, memory: Memory) -> bytes:
    """The flash's content from its origin on, as far as the program reaches.

    Raises:
        TargetError: it is no ELF file, or a part of it lies outside the flash.
    """
    found = bytearray()
    try:
        with elf.open("rb") as stream:
            for segment in ELFFile(stream).iter_segments("PT_LOAD"):
                data = segment.data()
                if not data:
                    continue
                at = segment["p_paddr"] - memory.flash.origin
                if at < 0 or at + len(data) > memory.flash.size:
                    raise TargetError(
                        f"{elf.name} has bytes at {segment['p_paddr']:#010x}, outside the flash from "
                        f"{memory.flash.origin:#010x} to {memory.flash.end - 1:#010x}: build it for this target again"
                    )
                found.extend([ERASED] * (at + len(data) - len(found)))
                found[at : at + len(data)] = data
    except TargetError:
        raise
    except Exception as error:
        # Of a damaged file pyelftools raises whatever comes to it.
        raise TargetError(f"{elf} is no ELF file that can be read ({error}): build it again") from error
    if not found:
        raise TargetError(f"{elf} has nothing for the flash: build it again")
    return bytes(found)


def boot2_crc(data: bytes) -> int:
    """The CRC by which an RP2040's ROM knows its first 252 bytes: CRC-32/MPEG-2.

    Example:
        >>> hex(boot2_crc(b"123456789"))
        '0x376e6e7'
    """
    crc = 0xFFFF_FFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C1_1DB7 if crc >> 31 else 0)) & 0xFFFF_FFFF
    return crc
