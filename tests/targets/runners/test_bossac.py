# SPDX-License-Identifier: Apache-2.0
"""bossac, recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.targets import TargetError, load_target
from dimmer.targets.runners.bossac import Bossac
from dimmer.targets.runners.flasher import Where
from tests.targets.runners.tools import Heard, image, record

WAY = Bossac()
PORT = Where(port="/dev/ttyACM7")


def test_it_is_told_port_and_image_and_no_offset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bootloader moves the image behind itself: with an offset it would lie too far behind."""
    calls = record(tmp_path, monkeypatch, "bossac", "[====] 100% (9/9 pages)\nVerify successful\n")
    written, heard = image(tmp_path), Heard()
    WAY.write(written, PORT, heard)
    assert calls.read_text() == f"--port /dev/ttyACM7 -i -e -w -v -R {written.bin}\n"
    assert max(heard.shares) == 1.0


@pytest.mark.parametrize(
    ("says", "status", "message"),
    [
        ("No device found on /dev/ttyACM7\n", 1, "^bossac: nobody answers at this port: press RESET twice"),
        ("Device unsupported\n", 1, "^bossac: it does not know the chip: take Arduino's own bossac"),
        ("Verify failed\nPage errors: 1\n", 2, "^bossac: the flash does not hold what was written"),
        ("Write 400 bytes to flash\n", 0, "^bossac ended without having verified what it wrote"),
    ],
)
def test_what_it_says_becomes_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, status: int, message: str
) -> None:
    record(tmp_path, monkeypatch, "bossac", says, status)
    with pytest.raises(TargetError, match=message):
        WAY.write(image(tmp_path), PORT, Heard())


def test_it_needs_a_port_and_a_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TargetError, match="bossac needs the bootloader's serial port: name it with --port"):
        WAY.steps(image(tmp_path), Where())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TargetError, match="bossac not found: type 'arduino-cli core install"):
        WAY.write(image(tmp_path), PORT, Heard())


def test_the_nano_has_it() -> None:
    assert load_target("nano33ble").flash.bossac == WAY


def test_an_offset_is_told_where_the_bootloader_adds_none(tmp_path: Path) -> None:
    (_, line) = Bossac(0x2000).steps(image(tmp_path), PORT)
    assert line.startswith("bossac --port /dev/ttyACM7 --offset=0x2000 -i -e")
