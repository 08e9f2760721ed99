# SPDX-License-Identifier: Apache-2.0
"""Both ends of a board's serial line: targets/board/platform_uart.c as a process, and the computer's `Link`."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from dimmer.firmware_gen.library import INCLUDE, RUNTIME
from dimmer.targets.runners.link import Link, Said
from dimmer.targets.target import TARGETS
from tests.firmware_gen.runtime.c_library import compile_c

SOURCES = [
    Path(__file__).with_name("uart_program.c"),
    TARGETS / "board" / "platform_uart.c",
    TARGETS / "app" / "text.c",
    RUNTIME / "src" / "crc.c",
]
# The board waits for an answer for 200 polls of a millisecond.
DEFINES = ('-DDIMMER_BOARD="lamp"', "-DDIMMER_CLOCK_HZ=1600u", "-D_DEFAULT_SOURCE")


class Line(Link):
    """One that sends its answer number `late` when the board has long asked again, and spoils number `spoilt`."""

    def __init__(self, descriptor: int, late: int, spoilt: int) -> None:
        super().__init__(descriptor)
        self._late, self._spoilt, self._sent = late, spoilt, 0

    def _send(self, data: bytes) -> None:
        # Neither calls nor the command.
        if not data.endswith(b"\n"):
            self._sent += 1
            if self._sent == self._late:
                time.sleep(0.5)
            if self._sent == self._spoilt:
                data = data[:3] + bytes([data[3] ^ 1]) + data[4:]
        super()._send(data)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("uart")
    places = (f"-I{INCLUDE}", f"-I{TARGETS / 'app'}", f"-I{TARGETS / 'bare_metal'}")
    return compile_c("gcc", SOURCES, folder / "uart", *places, *DEFINES)


def copied(program: Path, folder: Path, data: bytes, late: int = 0, spoilt: int = 0) -> tuple[Said, bytes]:
    """What becomes of a file that the board reads and writes."""
    (folder / "in.bin").write_bytes(data)
    ours, board = socket.socketpair()
    with ours, board, subprocess.Popen([program, str(board.fileno())], pass_fds=[board.fileno()]) as child:
        try:
            link = Line(ours.fileno(), late, spoilt)
            link.call(5)
            said = link.run(["copy", "in.bin", "out.bin"], folder, 5)
            child.wait(10)
        finally:
            child.kill()
    return said, (folder / "out.bin").read_bytes()


def test_what_is_longer_than_a_line_is_written_whole(program: Path, tmp_path: Path) -> None:
    data = np.random.default_rng(1).bytes(2500)
    said, written = copied(program, tmp_path, data)
    assert said.code == 0
    assert written == data


@pytest.mark.parametrize("number", [1, 2, 3, 5])
def test_a_late_answer_is_none_to_the_next_question(program: Path, tmp_path: Path, number: int) -> None:
    data = np.random.default_rng(2).bytes(1536)
    said, written = copied(program, tmp_path, data, late=number)
    assert said.code == 0
    assert written == data


@pytest.mark.parametrize("number", [1, 2, 5])
def test_a_damaged_answer_is_asked_for_again(program: Path, tmp_path: Path, number: int) -> None:
    data = np.random.default_rng(3).bytes(1536)
    said, written = copied(program, tmp_path, data, spoilt=number)
    assert said.code == 0
    assert written == data
