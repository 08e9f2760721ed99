# SPDX-License-Identifier: Apache-2.0
"""esptool, recorded; and the real one against a ROM on a pseudo terminal."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.targets import TargetError
from dimmer.targets.runners.esptool import EspTool
from dimmer.targets.runners.flasher import Where
from tests.targets.runners.fake_rom import rom
from tests.targets.runners.tools import Heard, image, record

HERE = pytest.mark.skipif(shutil.which("esptool") is None, reason="needs pip install esptool")
WAY = EspTool("esp32c3")
# Its stub is a program for the chip, which the pseudo terminal cannot run.
ON_A_TERMINAL = replace(WAY, options=("--before", "no-reset", "--after", "no-reset", "--no-stub"))


def test_it_is_told_chip_port_and_offset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = record(tmp_path, monkeypatch, "esptool", "Hash of data verified.\n")
    written = image(tmp_path)
    WAY.write(written, Where(port="/dev/ttyUSB7"), Heard())
    assert calls.read_text() == f"--chip esp32c3 --port /dev/ttyUSB7 write-flash --flash-size keep 0x0 {written.bin}\n"


def test_without_a_port_it_would_try_them_all(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="esptool needs the board's serial port: name it with --port"):
        WAY.steps(image(tmp_path), Where())


@HERE
def test_the_real_one_writes_and_verifies(tmp_path: Path) -> None:
    data = bytes(range(256)) * 9 + b"lamp"
    heard = Heard()
    with rom() as there:
        ON_A_TERMINAL.write(image(tmp_path, 0x42000000, data), Where(port=there.port), heard)
    assert there.flash[: len(data)] == data
    assert max(heard.shares) == 1.0


@HERE
def test_the_real_one_finds_a_byte_that_was_not_written(tmp_path: Path) -> None:
    with rom(spoil=700) as there, pytest.raises(TargetError, match=r"^esptool: the flash does not hold what was"):
        ON_A_TERMINAL.write(image(tmp_path, data=bytes(4096)), Where(port=there.port), Heard())


@HERE
def test_the_real_one_on_a_port_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"^esptool: the port cannot be opened"):
        WAY.write(image(tmp_path), Where(port=str(tmp_path / "no-port")), Heard())
