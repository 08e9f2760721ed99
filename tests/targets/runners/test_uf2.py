# SPDX-License-Identifier: Apache-2.0
"""UF2 into a folder that stands for the board's drive."""

from __future__ import annotations

import errno
import shutil
import struct
from pathlib import Path

import pytest

from dimmer.targets import TargetError
from dimmer.targets.runners import uf2 as uf2_module
from dimmer.targets.runners.flasher import Where
from dimmer.targets.runners.uf2 import INFO, Uf2, board_of_drive, uf2
from tests.targets.runners.tools import Heard, image

WAY = Uf2(0xE48BFF59, "RP2350")


def drive(folder: Path, board: str = "RP2350") -> Path:
    folder.mkdir()
    (folder / INFO).write_text(f"UF2 Bootloader v1.0\nModel: Raspberry Pi RP2350\nBoard-ID: {board}\n")
    return folder


def test_blocks_have_what_the_format_says() -> None:
    made = uf2(bytes(range(256)) + b"end", 0x10000000, 0xE48BFF56)
    assert len(made) == 2 * 512
    head = struct.unpack("<8I", made[512:544])
    assert head == (0x0A324655, 0x9E5D5157, 0x2000, 0x10000100, 256, 1, 2, 0xE48BFF56)
    assert made[544:547] == b"end"
    assert made[-4:] == struct.pack("<I", 0x0AB16F30)
    assert made[32:288] == bytes(range(256))


def test_a_folder_gets_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uf2_module, "LEFT_S", 0.2)
    there = drive(tmp_path / "RP2350")
    written = image(tmp_path, 0x10000000)
    heard = Heard()
    WAY.write(written, Where(drive=there), heard)
    assert (there / "firmware.uf2").read_bytes() == uf2(written.data, 0x10000000, 0xE48BFF59)
    assert heard.shares[-1] == 1.0


def test_a_drive_that_leaves_has_taken_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there, waits = drive(tmp_path / "RP2350"), []

    def leave(seconds: float) -> None:
        waits.append(seconds)
        shutil.rmtree(there)

    monkeypatch.setattr("time.sleep", leave)
    WAY.write(image(tmp_path), Where(drive=there), Heard())
    assert len(waits) == 1, "nobody looked again"


def test_a_drive_that_stays_with_something_else_did_not_take_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uf2_module, "LEFT_S", 0.05)
    there = drive(tmp_path / "RP2350")
    monkeypatch.setattr("time.sleep", lambda _: (there / "firmware.uf2").write_bytes(b"another"))
    with pytest.raises(TargetError, match="RP2350 is still there: the board did not take the image"):
        WAY.write(image(tmp_path), Where(drive=there), Heard())


LARGE = b"lamp" * 16_384
"""Twice what is copied at once; of the second time its last block goes by itself."""


def failing(monkeypatch: pytest.MonkeyPatch, number: int, leaves: Path | None) -> None:
    """Copying fails at so many-th look whether it arrived, counted from 0; a drive leaves at the same time."""
    looks = []

    def sync(descriptor: int) -> None:
        looks.append(descriptor)
        if len(looks) > number:
            if leaves is not None:
                shutil.rmtree(leaves)
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("os.fsync", sync)


@pytest.mark.parametrize("number", [0, 1])
def test_a_drive_that_leaves_in_the_middle_has_not_taken_it(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = drive(tmp_path / "RP2350")
    failing(monkeypatch, number, there)
    told = rf"RP2350 went away with {number * 65_536:,} of 131,072 bytes written: hold BOOTSEL, plug the board in again"
    with pytest.raises(TargetError, match=told):
        WAY.write(image(tmp_path, 0x10000000, LARGE), Where(drive=there), Heard())


def test_a_drive_that_leaves_with_the_last_block_has_taken_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = drive(tmp_path / "RP2350")
    failing(monkeypatch, 2, there)
    WAY.write(image(tmp_path, 0x10000000, LARGE), Where(drive=there), Heard())


def test_a_drive_that_stays_and_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = drive(tmp_path / "RP2350")
    failing(monkeypatch, 2, None)
    with pytest.raises(TargetError, match="RP2350 cannot be written: Input/output error; plug the board in again"):
        WAY.write(image(tmp_path, 0x10000000, LARGE), Where(drive=there), Heard())


def test_the_right_board_and_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pico = drive(tmp_path / "pico", "RPI-RP2")
    assert board_of_drive(pico) == "RPI-RP2"
    with pytest.raises(TargetError, match="pico belongs to a RPI-RP2, not to a RP2350"):
        WAY.drive(Where(drive=pico))
    with pytest.raises(TargetError, match=r"has no INFO_UF2\.TXT: it is no board's drive; hold BOOTSEL"):
        WAY.drive(Where(drive=tmp_path))
    monkeypatch.setattr(uf2_module, "drives", lambda: iter([pico]))
    with pytest.raises(TargetError, match="no drive of a RP2350 is here: hold BOOTSEL"):
        WAY.drive(Where())
    two = [drive(tmp_path / "a"), drive(tmp_path / "b")]
    monkeypatch.setattr(uf2_module, "drives", lambda: iter([pico, *two]))
    with pytest.raises(TargetError, match="2 boards are here: name one with --drive"):
        WAY.drive(Where())
    monkeypatch.setattr(uf2_module, "drives", lambda: iter([pico, two[0]]))
    assert WAY.drive(Where()) == two[0]


def test_a_user_without_a_name_has_no_drives_of_his_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 54321")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert list(uf2_module.drives()) == []
