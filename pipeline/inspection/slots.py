# SPDX-License-Identifier: Apache-2.0
"""Images of models for slots of flash (docs/field.md): what they say, and whether they are whole."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.tables import ABI
from dimmer.pipeline.artifacts.mcuboot import MAGIC, Opened, read
from dimmer.pipeline.inspection.facts import FileFacts

SUFFIX = ".img"

BLOB_MAGIC, _BLOB = 0x424D4D44, "<6I"
"""The beginning of dimmer_blob_t (dimmer_slot.h): magic, size, ABI, core, arena, program."""

SIGNATURE_SIZE, HASH_SIZE = 64, 32
"""Bytes of an ed25519 signature, and of the SHA-256 by which a key is known."""
Check = Callable[[Opened], None]
"""Raises DimmerError where an image is not signed by whom it should be."""
_CORES = {0: "a computer", 1: "Arm", 2: "RISC-V"}


def is_slot_image(path: Path) -> bool:
    """Whether a file is called as one, or begins as one."""
    if path.suffix == SUFFIX:
        return True
    try:
        with path.open("rb") as stream:
            return stream.read(4) == struct.pack("<I", MAGIC)
    except OSError:
        return False


def inspect_slot_image(path: Path, check: Check | None = None) -> FileFacts:
    """Version, counter, place, core and signature of an image; its SHA-256 is compared.

    Args:
        check: compares the signature with the key that should have made it (`signing.check`); None: it is not
            checked.

    Raises:
        DimmerError: it cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DimmerError(f"{path} cannot be read ({error.strerror}); check the path") from error
    try:
        opened = read(content)
    except DimmerError as error:
        return FileFacts(str(path), "model image", len(content), (), (str(error),))
    facts, problems = _facts(opened, check)
    return FileFacts(str(path), "model image", len(content), facts, problems)


def _facts(opened: Opened, check: Check | None) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    image = opened.image
    facts = [
        ("model", image.name or "not named"),
        ("version", f"{image.version}, security counter {image.counter}"),
        ("place", f"{len(image.payload):,} bytes for a slot at {image.address:#010x}"),
        ("sha256", opened.digest.hex()),
    ]
    problems = []
    try:
        facts.append(("signature", _signature(opened, check)))
    except DimmerError as error:
        facts.append(("signature", "wrong"))
        problems.append(str(error))
    if image.development:
        facts.append(("for", "development: a release's program refuses it"))
    size = struct.calcsize(_BLOB)
    numbers = struct.unpack(_BLOB, image.payload[:size]) if len(image.payload) >= size else (0,) * 6
    if numbers[0] != BLOB_MAGIC:
        problems.append("its payload is no model of Dimmer's: make it with dimmer slot")
    else:
        _, _, abi, core, arena, program = numbers
        facts.append(("core", f"{_CORES.get(core >> 24, 'unknown')}, features {core & 0xFFFFFF:#x}"))
        facts.append(("needs", f"an arena of {arena:,} bytes, program {program} or newer"))
        if abi != ABI:
            problems.append(f"it is of ABI {abi}, this Dimmer has {ABI}: make it again")
    return tuple(facts), tuple(problems)


def _signature(opened: Opened, check: Check | None) -> str:
    """What is known of a signature.

    Raises:
        DimmerError: it is none, or not by the key that is asked for.
    """
    if check is not None:
        check(opened)
        return f"ed25519 by the key {opened.key_hash.hex()}, right"
    if not opened.signature and not opened.key_hash:
        return "none"
    if len(opened.signature) != SIGNATURE_SIZE or len(opened.key_hash) != HASH_SIZE:
        raise DimmerError("its signature or its key's hash has another size than ed25519's: it is forged or damaged")
    return f"says ed25519 by the key {opened.key_hash.hex()}; not checked, which --public KEY does"
