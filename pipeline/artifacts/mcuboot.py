# SPDX-License-Identifier: Apache-2.0
"""MCUboot's image format, written and read: header, payload, protected and other TLVs (docs/design.md of MCUboot).

A signature is over the SHA-256 of all before the unprotected TLVs, as `imgtool sign` makes it of an ed25519 key.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dimmer.errors import DimmerError

HEADER_SIZE = 0x200
"""Bytes before the payload, most of them empty: code behind it stays aligned as vectors want it."""

MAGIC, TLV_MAGIC, PROTECTED_MAGIC = 0x96F3B83D, 0x6907, 0x6908
NON_BOOTABLE, ROM_FIXED = 0x10, 0x100
KEY_HASH, SHA256, ED25519, COUNTER, MODEL_NAME, DEVELOPMENT = 0x01, 0x10, 0x24, 0x50, 0xA1, 0xA2

_HEADER = "<IIHHIIBBHII"
_PLAIN_HEADER = struct.calcsize(_HEADER)
GRANULE = 32
"""A whole image is a multiple of so many bytes, so that any flash can be given it as it is."""


@dataclass(frozen=True, order=True)
class Version:
    """Of an image: major.minor.revision+build."""

    major: int
    minor: int
    revision: int
    build: int = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.revision}+{self.build}"


def version_of(text: str) -> Version:
    """Reads "1.2.3" or "1.2.3+4".

    Raises:
        DimmerError: it is no version, or a number is too large.
    """
    found = re.fullmatch(r"(\d{1,3})\.(\d{1,3})\.(\d{1,5})(?:\+(\d{1,10}))?", text)
    numbers = [int(number or 0) for number in found.groups()] if found else []
    limits = (0xFF, 0xFF, 0xFFFF, 0xFFFF_FFFF)
    if not found or any(number > limit for number, limit in zip(numbers, limits, strict=True)):
        raise DimmerError(
            f"the version {text!r} is none: write it as 1.2.3 or 1.2.3+4, at most 255.255.65535+4294967295"
        )
    return Version(*numbers)


@dataclass(frozen=True)
class Image:
    """What an image says.

    Attributes:
        payload: what lies behind the header.
        address: where its first byte lies in flash.
        counter: security counter: a device takes none that is lower than one that it confirmed.
        name: of the model.
        development: signed for development alone.
        header_size: bytes before the payload.
    """

    payload: bytes
    address: int
    version: Version
    counter: int
    name: str = ""
    development: bool = False
    header_size: int = HEADER_SIZE


Sign = Callable[[bytes], bytes]
"""digest (32 bytes) -> signature (64 bytes)."""


def _tlv(kind: int, value: bytes) -> bytes:
    return struct.pack("<HH", kind, len(value)) + value


def _tlvs(magic: int, entries: bytes) -> bytes:
    return struct.pack("<HH", magic, 4 + len(entries)) + entries


def pack(image: Image, key_hash: bytes = b"", sign: Sign | None = None) -> bytes:
    """The bytes to write to a slot: signed, or with the SHA-256 alone."""
    own = _tlv(COUNTER, struct.pack("<I", image.counter))
    own += _tlv(MODEL_NAME, image.name.encode()) if image.name else b""
    own += _tlv(DEVELOPMENT, b"\1") if image.development else b""
    protected = _tlvs(PROTECTED_MAGIC, own)
    version = image.version
    header = struct.pack(
        _HEADER,
        MAGIC,
        image.address,
        image.header_size,
        len(protected),
        len(image.payload),
        NON_BOOTABLE | ROM_FIXED,
        version.major,
        version.minor,
        version.revision,
        version.build,
        0,
    )
    guarded = header.ljust(image.header_size, b"\0") + image.payload + protected
    digest = hashlib.sha256(guarded).digest()
    entries = _tlv(SHA256, digest)
    if sign is not None:
        entries += _tlv(KEY_HASH, key_hash) + _tlv(ED25519, sign(digest))
    whole = guarded + _tlvs(TLV_MAGIC, entries)
    return whole + b"\xff" * (-len(whole) % GRANULE)


@dataclass(frozen=True)
class Opened:
    """An image that was read.

    Attributes:
        digest: SHA-256 that it names, and that its bytes have.
        key_hash: SHA-256 of the public key; empty where it is not signed.
        signature: over the digest; empty where it is not signed.
        unknown: protected TLVs that nobody here knows: kind -> value.
    """

    image: Image
    digest: bytes
    key_hash: bytes
    signature: bytes
    unknown: Mapping[int, bytes]


def _read_tlvs(data: bytes, at: int, magic: int) -> tuple[dict[int, bytes], int]:
    if len(data) < at + 4 or struct.unpack_from("<H", data, at)[0] != magic:
        raise DimmerError(f"the image is truncated: there are no TLVs at byte {at}; write it again")
    end = at + struct.unpack_from("<H", data, at + 2)[0]
    found: dict[int, bytes] = {}
    at += 4
    while at + 4 <= end <= len(data):
        kind, size = struct.unpack_from("<HH", data, at)
        if at + 4 + size > end:
            break
        found[kind] = data[at + 4 : at + 4 + size]
        at += 4 + size
    if at != end:
        raise DimmerError(f"the image is truncated or damaged: its TLVs end at byte {end}; write it again")
    return found, end


def read(data: bytes) -> Opened:
    """Reads an image and compares its SHA-256; its signature is `signing.check`'s.

    Raises:
        DimmerError: it is no image, truncated, or damaged.
    """
    if len(data) < _PLAIN_HEADER or struct.unpack_from("<I", data)[0] != MAGIC:
        raise DimmerError("this is no image of MCUboot's format: it does not begin with its magic number")
    _, address, header, guarded, size, _, *version, _ = struct.unpack_from(_HEADER, data)
    if header < _PLAIN_HEADER or header + size + guarded > len(data):
        raise DimmerError(f"the image is truncated: {len(data)} bytes of {header + size + guarded} and its TLVs")
    own, end = _read_tlvs(data, header + size, PROTECTED_MAGIC) if guarded else ({}, header + size)
    if end != header + size + guarded:
        raise DimmerError("the image is damaged: its protected TLVs are not as long as its header says")
    tlvs, _ = _read_tlvs(data, end, TLV_MAGIC)
    digest = hashlib.sha256(data[:end]).digest()
    if tlvs.get(SHA256) != digest:
        raise DimmerError("the image is damaged: its SHA-256 is another one than it names")
    image = Image(
        data[header : header + size],
        address,
        Version(*version),
        int.from_bytes(own.get(COUNTER, b""), "little"),
        own.get(MODEL_NAME, b"").decode(errors="replace"),
        DEVELOPMENT in own,
        header,
    )
    unknown = {kind: value for kind, value in own.items() if kind not in (COUNTER, MODEL_NAME, DEVELOPMENT)}
    return Opened(image, digest, tlvs.get(KEY_HASH, b""), tlvs.get(ED25519, b""), unknown)
