# SPDX-License-Identifier: Apache-2.0
"""The computer's end of the serial line, with a board of a few lines of Python behind a pseudo terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import threading
import time
import tty
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import TimeoutExpired

import pytest

from dimmer.targets import TargetError
from dimmer.targets.runners.link import NoAnswerError, listening, open_port

READY = '{"event":"ready","board":"lamp","clock_hz":1000}'


class Board:
    """Speaks the protocol on the other end."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.turn = 0

    def line(self) -> str:
        text = b""
        while not text.endswith(b"\n"):
            text += os.read(self.descriptor, 1)
        return text.decode().strip()

    def say(self, text: str) -> None:
        with suppress(ValueError):
            self.turn = json.loads(text).get("turn", 0)
        os.write(self.descriptor, text.encode() + b"\r\n")

    def answer(self) -> bytes:
        """A frame, checked."""
        head = self.take(3)
        assert head[0] == self.turn
        data = self.take(int.from_bytes(head[1:], "little"))
        assert zlib.crc32(head + data) == int.from_bytes(self.take(4), "little")
        return data

    def take(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            found += os.read(self.descriptor, size - len(found))
        return found

    def be_called(self) -> str:
        """Answers to empty lines; returns the command."""
        while not (text := self.line()):
            self.say(READY)
        return text


@contextmanager
def terminal() -> Iterator[tuple[Board, str]]:
    own, other = pty.openpty()
    tty.setraw(own)
    tty.setraw(other)
    try:
        yield Board(own), os.ttyname(other)
    finally:
        os.close(own)
        os.close(other)


def test_files_cross_the_line_in_both_directions(tmp_path: Path) -> None:
    (tmp_path / "in.bin").write_bytes(bytes(range(256)))
    seen: list[object] = []

    def play(board: Board) -> None:
        seen.append(board.be_called())
        board.say('{"event":"open","turn":1,"path":"in.bin","write":false}')
        handle = board.answer()[0]
        board.say('garbage {"ev')
        board.say(json.dumps({"event": "read", "handle": handle, "turn": 2, "at": 250, "bytes": 512}))
        seen.append(board.answer())
        board.say('{"event":"open","turn":3,"path":"/etc/passwd","write":false}')
        seen.append(board.answer())
        board.say('{"event":"open","turn":255,"path":"out.bin","write":true}')
        handle = board.answer()[0]
        for text, crc in (("beef", 1), ("cafe", zlib.crc32(b"\xca\xfe"))):
            question = {"event": "write", "handle": handle, "turn": 0, "at": 0, "crc": crc, "hex": text}
            board.say(json.dumps(question))
            seen.append(board.answer())
        board.say(json.dumps({"event": "close", "handle": handle, "turn": 7}))
        seen.append(board.answer())
        board.say('{"event":"bench","mode":"88"}')
        board.say('{"event":"end","code":1}')

    with terminal() as (board, port), open_port(port) as link:
        thread = threading.Thread(target=play, args=(board,))
        thread.start()
        assert link.call(5)["board"] == "lamp"
        done = link.run(["verify", "in.bin", "out.bin"], tmp_path, 5)
        thread.join()
    assert (done.lines, done.code) == (('{"event":"bench","mode":"88"}',), 1)
    assert seen == ["verify in.bin out.bin", bytes(range(250, 256)), b"\xff", b"\0", b"\1", b"\1"]
    assert (tmp_path / "out.bin").read_bytes() == b"\xca\xfe"


@pytest.mark.parametrize(
    "garbled",
    [
        '{"event":"read","turn":1,"handle":7,"at":0,"bytes":4}',
        '{"event":"read","turn":1,"handle":-1,"at":0,"bytes":4}',
        '{"event":"read","turn":1,"handle":0,"at":-5,"bytes":4}',
        '{"event":"read","turn":1,"handle":0,"at":1e99,"bytes":4}',
        '{"event":"read","turn":1,"handle":0,"at":0}',
        '{"event":"read","turn":1,"handle":[0],"at":0,"bytes":4}',
        '{"event":"read","turn":1,"handle":0,"at":99999999999999999999,"bytes":4}',
        '{"event":"write","turn":1,"handle":9,"at":0,"crc":0,"hex":""}',
        '{"event":"end"}',
        '{"event":"end","code":"0"}',
    ],
)
def test_a_garbled_question_is_asked_again(tmp_path: Path, garbled: str) -> None:
    (tmp_path / "in.bin").write_bytes(b"lamp")
    seen: list[bytes] = []

    def play(board: Board) -> None:
        board.be_called()
        board.say('{"event":"open","turn":1,"path":"in.bin","write":false}')
        handle = board.answer()[0]
        board.say(garbled)
        board.say(json.dumps({"event": "read", "handle": handle, "turn": 2, "at": 0, "bytes": 4}))
        seen.append(board.answer())
        board.say('{"event":"end","code":0}')

    with terminal() as (board, port), open_port(port) as link:
        thread = threading.Thread(target=play, args=(board,))
        thread.start()
        link.call(5)
        assert link.run(["verify", "in.bin"], tmp_path, 5).code == 0
        thread.join()
    assert seen == [b"lamp"]


def test_a_port_that_another_command_has_is_told() -> None:
    in_use = pytest.raises(TargetError, match=r"is in use by another program, .*: end that first")
    with terminal() as (_, port), open_port(port), in_use, open_port(port):
        pass


def test_a_board_that_says_nothing_is_told_in_time(tmp_path: Path) -> None:
    with terminal() as (_, port), open_port(port) as link:
        with pytest.raises(NoAnswerError, match=r"no board answers within 0\.3 s: look at port and cable"):
            link.call(0.3)
        with pytest.raises(NoAnswerError, match=r"'bench': the board has said nothing for 0\.2 s; nor anything since"):
            link.run(["bench"], tmp_path, 0.2)


def test_a_board_that_tests_itself_after_its_reset_is_waited_for() -> None:
    """Longer than it has for an answer, as long as its self-test goes on."""
    tested = ['{"event":"selftest","mode":"88","ok":true}', '{"event":"selftest","mode":"80","ok":true}']

    def play(board: Board) -> None:
        for line in tested:
            time.sleep(0.6)
            board.say(line)
        time.sleep(0.6)
        board.say(READY)

    heard: list[str] = []
    with terminal() as (board, port), open_port(port) as link:
        thread = threading.Thread(target=play, args=(board,))
        thread.start()
        assert link.call(1.5, heard.append)["board"] == "lamp"
        thread.join()
    assert heard == tested


def test_a_product_that_speaks_for_ever_is_no_self_test() -> None:
    gone = threading.Event()

    def play(board: Board) -> None:
        with suppress(OSError):
            while not gone.wait(0.02):
                board.say('{"event":"inference","mode":"88"}')

    with terminal() as (board, port), open_port(port) as link:
        thread = threading.Thread(target=play, args=(board,))
        thread.start()
        with pytest.raises(NoAnswerError, match="each begins its self-test anew"):
            link.call(0.5)
        gone.set()
        thread.join()


def test_a_board_that_hangs_is_told_with_the_last_that_it_said(tmp_path: Path) -> None:
    with terminal() as (board, port), open_port(port) as link:
        board.say('{"event":"selftest","mode":"88"}')
        hung = re.escape("""'selftest': the board has said nothing for 0.2 s; the last was '{"event":"selftest",""")
        with pytest.raises(NoAnswerError, match=hung):
            link.run(["selftest"], tmp_path, 0.2)


def test_a_question_without_a_turn_is_of_another_version(tmp_path: Path) -> None:
    with terminal() as (board, port), open_port(port) as link:
        board.say('{"event":"open","path":"in.bin","write":false}')
        with pytest.raises(NoAnswerError, match=r"of another version of Dimmer: flash what this one builds$"):
            link.run(["verify", "in.bin"], tmp_path, 5)


def test_a_cable_that_is_pulled_is_told_at_once(tmp_path: Path) -> None:
    own, other = pty.openpty()
    tty.setraw(other)
    with open_port(os.ttyname(other)) as link:
        os.close(other)
        os.close(own)
        with pytest.raises(NoAnswerError, match=r"^the serial line is gone \(Input/output error\): plug it in again"):
            link.call(60)


def test_ports_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"cannot be opened \(No such file"), open_port(str(tmp_path / "no")):
        pass
    (tmp_path / "file").touch()
    with pytest.raises(TargetError, match="is no serial port"), open_port(str(tmp_path / "file")):
        pass


def test_an_emulator_that_does_not_connect(tmp_path: Path) -> None:
    done = listening(["sh", "-c", "echo no lamp; exit 3"], [], tmp_path, 5)
    assert (done.returncode, done.stderr) == (3, "no lamp\n")
    # 1 would be a self-test that fails, of a firmware that never ran.
    assert listening(["sh", "-c", "exit 1"], [], tmp_path, 5).returncode == 2
    with pytest.raises(TimeoutExpired):
        listening(["sleep", "60"], [], tmp_path, 0.2)
