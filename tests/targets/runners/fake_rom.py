# SPDX-License-Identifier: Apache-2.0
"""An ESP32-C3's ROM on a pseudo terminal: as much of its serial protocol as `esptool --no-stub write-flash` speaks."""

from __future__ import annotations

import hashlib
import os
import pty
import struct
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

FRAME, ESCAPE = b"\xc0", b"\xdb"
SYNC, READ_REGISTER, SECURITY_INFO, FLASH_BEGIN, FLASH_DATA, FLASH_MD5 = 0x08, 0x0A, 0x14, 0x02, 0x03, 0x13
MAGIC_REGISTER, MAGIC = 0x40001000, 0x6921506F
FLASH_ID_REGISTER, FLASH_ID = 0x60002058, 0x1640EF


@dataclass
class Rom:
    """What it has in its flash, and where it is.

    Attributes:
        spoil: offset of a byte that the flash loses; None for a good one.
    """

    port: str
    flash: bytearray = field(default_factory=lambda: bytearray(b"\xff" * (4 << 20)))
    spoil: int | None = None
    begin: tuple[int, int] = (0, 0)

    def answer(self, operation: int, content: bytes) -> tuple[int, bytes]:
        """Value and data of the answer to a command."""
        if operation == READ_REGISTER:
            (address,) = struct.unpack("<I", content[:4])
            return {MAGIC_REGISTER: MAGIC, FLASH_ID_REGISTER: FLASH_ID}.get(address, 0), b""
        if operation == SECURITY_INFO:
            return 0, struct.pack("<IB7sII", 0, 0, bytes(7), 5, 0)
        if operation == FLASH_BEGIN:
            _, _, block, offset = struct.unpack("<4I", content[:16])
            self.begin = (offset, block)
        elif operation == FLASH_DATA:
            length, number = struct.unpack("<II", content[:8])
            at = self.begin[0] + number * self.begin[1]
            self.flash[at : at + length] = content[16 : 16 + length]
            if self.spoil is not None:
                self.flash[self.spoil] = 0x55
        elif operation == FLASH_MD5:
            at, length, _, _ = struct.unpack("<4I", content)
            return 0, hashlib.md5(self.flash[at : at + length]).hexdigest().encode()
        return 0, b""


@contextmanager
def rom(spoil: int | None = None) -> Iterator[Rom]:
    """A ROM that answers as long as the block lasts."""
    own, other = pty.openpty()
    tty.setraw(own)
    tty.setraw(other)
    made = Rom(os.ttyname(other), spoil=spoil)
    thread = threading.Thread(target=_serve, args=(own, made), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        os.close(other)
        thread.join(2)
        os.close(own)


def _serve(descriptor: int, made: Rom) -> None:
    pending = b""
    while True:
        try:
            pending += os.read(descriptor, 65_536)
        except OSError:
            return
        while pending.count(FRAME) >= 2:
            start = pending.index(FRAME)
            end = pending.index(FRAME, start + 1)
            packet, pending = pending[start + 1 : end], pending[end + 1 :]
            if not packet:
                pending = FRAME + pending
                continue
            packet = packet.replace(ESCAPE + b"\xdc", FRAME).replace(ESCAPE + b"\xdd", ESCAPE)
            _, operation, length, _ = struct.unpack("<BBHI", packet[:8])
            value, data = made.answer(operation, packet[8 : 8 + length])
            for _ in range(8 if operation == SYNC else 1):
                body = data + bytes(4)
                answer = struct.pack("<BBHI", 1, operation, len(body), value) + body
                answer = answer.replace(ESCAPE, ESCAPE + b"\xdd").replace(FRAME, ESCAPE + b"\xdc")
                os.write(descriptor, FRAME + answer + FRAME)
