# SPDX-License-Identifier: Apache-2.0
"""What Arm's driver is given: a header that names the silicon, then the command stream."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from dimmer.firmware_gen.errors import FirmwareGenError

MAGIC = b"COP1"
ALIGN = 16
"""Bytes: the payload starts at a multiple of this many, and so does the stream in it."""
PRODUCTS = {0: "ethos-u55", 1: "ethos-u65", 2: "ethos-u85"}
_CONFIG, _STREAM, _NOP = 1, 2, 5
_MOST_WORDS = 1 << 24


@dataclass(frozen=True, slots=True)
class Payload:
    """One payload.

    Attributes:
        release: word of the header's format.
        config: word that names product, SHRAM and MACs.
        identity: word that names the architecture's version.
        stream: words of the command stream.
    """

    release: int
    config: int
    identity: int
    stream: tuple[int, ...]

    @property
    def product(self) -> str:
        """As "ethos-u55"."""
        return PRODUCTS.get(self.config >> 28, f"product {self.config >> 28}")

    @property
    def macs(self) -> int:
        """Multiply-accumulates in a cycle."""
        return 1 << (self.config & 15)

    @property
    def accelerator(self) -> str:
        """As Vela calls it, such as "ethos-u55-128"."""
        return f"{self.product}-{self.macs}"

    def pack(self) -> bytes:
        """The payload's bytes, a multiple of 4."""
        head = [int.from_bytes(MAGIC, "little"), self.release, self.config, self.identity]
        head += [_NOP] * (-(len(head) + 1) % 4)
        count = len(self.stream)
        head.append((count & 0xFFFF) << 16 | (count >> 16 & 0xFF) << 8 | _STREAM)
        return struct.pack(f"<{len(head) + count}I", *head, *self.stream)


def read_payload(data: bytes) -> Payload:
    """A payload that Vela wrote.

    Raises:
        FirmwareGenError: it is none, or was cut short; the message says where.
    """
    if data[:4] != MAGIC:
        raise FirmwareGenError(f"the command stream begins with {data[:4]!r}, not {MAGIC!r}: compile it with COP1")
    if len(data) % 4 or len(data) > 4 * (_MOST_WORDS + 64):
        raise FirmwareGenError(f"the command stream has {len(data):,} bytes, which no payload has: compile it again")
    words = struct.unpack(f"<{len(data) // 4}I", data)
    config: tuple[int, ...] = ()
    at = 1
    while at < len(words):
        tag, rest = words[at] & 0xFF, len(words) - at - 1
        if tag == _CONFIG and rest >= 2:
            config, at = words[at : at + 3], at + 3
        elif tag == _NOP:
            at += 1
        elif tag == _STREAM:
            count = words[at] >> 16 | (words[at] >> 8 & 0xFF) << 16
            if count != rest or not config:
                raise FirmwareGenError(f"the command stream says {count:,} words and has {rest:,}: compile it again")
            return Payload(config[0], config[1], config[2], words[at + 1 :])
        else:
            raise FirmwareGenError(f"the command stream has the tag {tag} at word {at}: compile it with Vela 5")
    raise FirmwareGenError("the payload holds no command stream: compile it again")
