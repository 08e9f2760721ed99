# SPDX-License-Identifier: Apache-2.0
"""Images are told apart by what is in them, their models are found, and what is damaged is named."""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.tables import ABI
from dimmer.firmware_gen.library import INCLUDE
from dimmer.pipeline.inspection.facts import FileFacts
from dimmer.pipeline.inspection.images import MAGIC, inspect_image

MODEL = struct.pack("<II", MAGIC, ABI)
CODE = bytes(range(64)) + MODEL + bytes(24)
VECTORS = struct.pack("<II", 0x20001000, 0x101)


def record(address: int, kind: int, body: bytes) -> str:
    whole = bytes([len(body), address >> 8, address & 255, kind]) + body
    return f":{whole.hex().upper()}{-sum(whole) & 255:02X}"


def intel_hex() -> str:
    rows = [record(at, 0, CODE[at : at + 16]) for at in range(0, len(CODE), 16)]
    return "\n".join([record(0, 4, b"\x08\x00"), *rows, record(0, 1, b"")]) + "\n"


def uf2(blocks: int = 2) -> bytes:
    made = b""
    for number in range(blocks):
        body = (CODE * 8)[:256]
        head = (0x0A324655, 0x9E5D5157, 0x2000, 0x10000000 + 256 * number, 256, number, blocks, 0xE48BFF56)
        made += struct.pack("<8I", *head) + body.ljust(476, b"\0") + struct.pack("<I", 0x0AB16F30)
    return made


@pytest.fixture(scope="module")
def elf(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("elf")
    words = f"{{0x{MAGIC:08X}u, {ABI}u}}"
    (folder / "a.c").write_text(f"const unsigned tables[2] = {words}; int dimmer_init(void) {{ return 0; }}\n")
    subprocess.run(["gcc", "-shared", "-nostdlib", "-o", "a.elf", "a.c"], cwd=folder, check=True)
    return (folder / "a.elf").read_bytes()


def look(folder: Path, name: str, content: bytes | str) -> FileFacts:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return inspect_image(path)


def test_the_magic_number_is_the_runtime_s() -> None:
    found = re.search(r"#define DIMMER_MAGIC (0x\w+)u", (INCLUDE / "dimmer_tables.h").read_text())
    assert found is not None
    assert int(found[1], 16) == MAGIC


def test_an_elf_tells_machine_segments_and_entry_points(tmp_path: Path, elf: bytes) -> None:
    found = look(tmp_path, "firmware.elf", elf)
    facts = dict(found.facts)
    assert (found.kind, found.problems) == ("ELF", ())
    assert "64 bits, little-endian" in facts["machine"]
    assert facts["runtime"] == "dimmer_init"
    assert facts["model"].endswith(f"ABI {ABI}")


def test_hex_uf2_and_plain_images_tell_where_their_bytes_go(tmp_path: Path) -> None:
    found = look(tmp_path, "firmware.hex", intel_hex())
    assert (found.kind, found.problems) == ("Intel HEX", ())
    assert ("bytes", "96 at 0x08000000") in found.facts
    assert ("model", f"tables at 0x08000040, ABI {ABI}") in found.facts
    found = look(tmp_path, "firmware.uf2", uf2())
    assert (found.kind, found.problems) == ("UF2", ())
    assert found.facts[:2] == (("for", "RP2040"), ("bytes", "512 at 0x10000000"))
    found = look(tmp_path, "firmware.bin", VECTORS + CODE)
    assert (found.kind, found.problems) == ("plain image", ())
    assert ("vectors", "a Cortex-M's: stack from 0x20001000, reset at 0x00000100") in found.facts


def test_an_image_without_a_model_says_so(tmp_path: Path) -> None:
    found = look(tmp_path, "firmware.bin", bytes(100) + struct.pack("<I", MAGIC))
    assert (found.facts, found.problems) == ((("model", "none of Dimmer's"),), ())


def test_a_model_of_another_abi_is_named(tmp_path: Path) -> None:
    found = look(tmp_path, "firmware.bin", bytes(8) + struct.pack("<II", MAGIC, ABI + 1))
    assert found.problems == (f"its tables are of ABI {ABI + 1}, this Dimmer has {ABI}: build it again",)


DAMAGED = {
    "empty.bin": b"",
    "short.hex": intel_hex().rsplit("\n", 2)[0].encode(),
    "checksum.hex": intel_hex().replace(":10", ":11", 1).encode(),
    "digit.hex": intel_hex().replace("0A", "0B", 1).encode(),
    "text.hex": b"lamp\n",
    "behind.hex": (intel_hex() + record(0, 0, b"x")).encode(),
    "not-ascii.hex": b":\xff\xfe",
    "cut.uf2": uf2()[:-1],
    "missing.uf2": uf2()[:512],
    "end.uf2": uf2()[:-4] + bytes(4),
    "size.uf2": uf2()[:16] + struct.pack("<I", 5000) + uf2()[20:],
    "cut.elf": b"\x7fELF",
    "zero.elf": b"\x7fELF" + bytes(60),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_image_is_named(tmp_path: Path, name: str) -> None:
    found = look(tmp_path, name, DAMAGED[name])
    (problem,) = found.problems
    assert problem.startswith("it is damaged (")
    assert "\n" not in problem


def test_no_elf_cut_short_is_a_traceback(tmp_path: Path, elf: bytes) -> None:
    for size in range(4, len(elf), max(1, len(elf) // 150)):
        look(tmp_path, "cut.elf", elf[:size])
    for at in range(4, 64):
        look(tmp_path, "flipped.elf", elf[:at] + bytes([elf[at] ^ 0xFF]) + elf[at + 1 :])


def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match="cannot be read"):
        inspect_image(tmp_path / "nothing.bin")
