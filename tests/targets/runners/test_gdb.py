# SPDX-License-Identifier: Apache-2.0
"""GDB's load into an emulated STM32, which then speaks over its serial line."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from dimmer.targets import TargetError, load_target
from dimmer.targets.runners.flasher import Where, Written
from dimmer.targets.runners.gdb import Gdb
from dimmer.targets.runners.image import image_of
from dimmer.targets.runners.link import Link
from tests.targets.runners.tools import Heard, image, record
from tests.targets.test_boards import build

HERE = shutil.which("gdb-multiarch") is not None


def test_the_reset_of_a_server_goes_around_the_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = record(tmp_path, monkeypatch, "gdb-multiarch", "Section .text: matched.\n")
    Gdb(("reset halt", "reset run")).write(image(tmp_path), Where(port="localhost:4444"), Heard())
    (call,) = calls.read_text().splitlines()
    assert call.index("remote localhost:4444") < call.index("monitor reset halt") < call.index("load ")
    assert call.index("compare-sections") < call.index("monitor reset run")


def test_the_start_is_that_of_the_core(tmp_path: Path) -> None:
    """A Cortex-M's comes from its table; on RISC-V the flash begins with a program."""
    written = image(tmp_path)
    for machine, told in ((b"\x28\0", True), (b"\xf3\0", False)):
        written.elf.write_bytes(bytes(18) + machine)
        assert ("set $sp = {unsigned}0x8000000" in Gdb().command(written, Where())) is told


@pytest.mark.skipif(not HERE, reason="needs sudo apt-get install gdb-multiarch")
def test_no_server_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"^gdb(-multiarch)?: no GDB server listens there"):
        Gdb().write(image(tmp_path), Where(port="localhost:1"), Heard())


@pytest.mark.board("netduinoplus2")
@pytest.mark.skipif(not HERE, reason="needs sudo apt-get install gdb-multiarch")
def test_an_emulated_stm32_is_loaded_and_tests_itself(tmp_path: Path) -> None:
    built = build("netduinoplus2", tmp_path)
    assert built.target.memory is not None
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "line"))
        server.listen(1)
        words = ["-M", "netduinoplus2", "-display", "none", "-monitor", "none", "-S", "-gdb", f"tcp::{port}"]
        words += ["-chardev", f"socket,id=line,path={tmp_path / 'line'}", "-serial", "chardev:line"]
        with subprocess.Popen(["qemu-system-arm", *words]) as emulator:
            try:
                line, _ = server.accept()
                time.sleep(0.5)
                data = image_of(built.elf, built.target.memory)
                written = Written(built.elf, built.target.memory.flash.origin, data)
                (way,) = (way for way in load_target("netduinoplus2").flash.each if way.tool == "gdb")
                way.write(written, Where(port=f"localhost:{port}"), Heard())
                with line:
                    link = Link(line.fileno())
                    assert link.call()["board"] == "netduinoplus2"
                    assert link.run(["selftest"], tmp_path, 30).code == 0
            finally:
                emulator.kill()
