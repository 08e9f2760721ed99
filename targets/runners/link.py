# SPDX-License-Identifier: Apache-2.0
"""The computer's end of a board's serial line (targets/board/platform_uart.c is the other one).

The board speaks in lines of JSON. It runs one command after the other; what it opens, reads and writes are files of
this machine, of which it sees only those that the command names. Questions carry an offset and a turn, answers that
turn and a CRC, as do the bytes that the board has kept: what of these is lost on the line, or an answer that comes
late, costs time and nothing else. A question's own numbers, and the lines in which the board tells its results, have
no CRC. Half a line is left out, but one that lost a digit of its offset reads like another question: wrong data, and
so a mismatch that is reported of a board that is right, or an error. Run it again then.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import socket
import struct
import termios
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess, Popen, TimeoutExpired
from typing import Any

from dimmer import children
from dimmer.targets.kit.errors import TargetError
from dimmer.toml import shown

BAUD = 115_200
CALL_S = 1.0
"""After this long without an answer a board is called again: it may have been in the middle of an inference."""
ANSWER_S = 20.0
LONGEST_LINE = 4096
_LARGEST = 1 << 40
"""No file of ours is longer."""


class NoAnswerError(TargetError):
    """A board that does not say what it should, in the time that it has."""


@dataclass(frozen=True)
class Said:
    """What came of a command.

    Attributes:
        lines: of JSON, those of the protocol left out.
        code: 0 where all went well.
    """

    lines: tuple[str, ...]
    code: int


class Link:
    """A serial line, or what stands for one, by its file descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pending = b""
        self._gone = False

    def call(self, timeout_s: float = ANSWER_S, told: Callable[[str], None] = lambda _line: None) -> Mapping[str, Any]:
        """Has the board listen to a command.

        After a reset a board tests itself first, and listens to nobody. What it says of that is a sign of life, from
        which on it has the whole time again; what else it says is none: a product speaks for ever.

        Args:
            timeout_s: after which it has failed, if nothing new came of a self-test.
            told: called with each line of that.

        Returns:
            What it says of itself: its name, and the clock that it runs with.

        Raises:
            NoAnswerError: it does not answer.
        """
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            self._send(b"\n")
            again = min(end, time.monotonic() + CALL_S)
            while (line := self._line(again)) is not None:
                event = _event(line)
                kind = None if event is None else event.get("event")
                if event is not None and kind == "ready":
                    self._drain()
                    return event
                if kind == "selftest":
                    end = time.monotonic() + timeout_s
                    told(line)
        raise NoAnswerError(
            f"no board answers within {timeout_s:,.3g} s: look at port and cable; press its reset once, and wait: each "
            "begins its self-test anew"
        )

    def run(self, words: Sequence[str], cwd: Path, timeout_s: float) -> Said:
        """Runs a command of the application, and serves the files that it names.

        Args:
            words: without spaces.
            timeout_s: after which it has failed, if nothing new came from the board.

        Raises:
            NoAnswerError: it did not end in time.
        """
        files = _Files({word: cwd / word for word in words[1:]})
        self._send(" ".join(words).encode() + b"\n")
        lines: list[str] = []
        last = ""
        while (line := self._line(time.monotonic() + timeout_s)) is not None:
            last = line
            event = _event(line)
            kind = None if event is None else event.get("event")
            if event is None or kind == "ready":
                # Half a line after a reset, or a second answer to a call.
                continue
            try:
                if kind == "end":
                    return Said(tuple(lines), _number(event, "code", -_LARGEST))
                answer = files.answers[str(kind)](event) if kind in files.answers else None
            except _GarbledError:
                # The board asks again, as it does where a whole line is lost.
                continue
            if answer is not None:
                self._send(_frame(_turn(event), answer))
            else:
                lines.append(line)
        before = f"the last was {shown(last)}" if last else "nor anything since the command"
        raise NoAnswerError(f"'{' '.join(words)}': the board has said nothing for {timeout_s:g} s; {before}")

    def lines(self) -> Iterator[str]:
        """What the board says by itself, line by line, until the line is gone."""
        while not self._gone:
            with suppress(NoAnswerError):
                if (line := self._line(time.monotonic() + CALL_S)) is not None:
                    yield line

    def _send(self, data: bytes) -> None:
        while data:
            _, ready, _ = select.select([], [self._descriptor], [], ANSWER_S)
            if not ready:
                raise NoAnswerError("the serial line takes nothing: look at port and cable")
            try:
                data = data[os.write(self._descriptor, data) :]
            except OSError as error:
                raise NoAnswerError(f"the serial line is gone ({error.strerror}): plug it in again") from error

    def _line(self, end: float) -> str | None:
        """The next line that is not empty; None where none came in time.

        Raises:
            NoAnswerError: the line is gone.
        """
        while True:
            head, found, rest = self._pending.partition(b"\n")
            if found:
                self._pending = rest
                if text := head.decode(errors="replace").strip():
                    return text
                continue
            if len(self._pending) > LONGEST_LINE:
                self._pending = b""
            ready, _, _ = select.select([self._descriptor], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                return None
            try:
                more = os.read(self._descriptor, 65_536)
            except OSError as error:
                self._gone = True
                raise NoAnswerError(f"the serial line is gone ({error.strerror}): plug it in again") from error
            if not more:
                self._gone = True
                raise NoAnswerError("the serial line is gone: plug it in again")
            self._pending += more

    def _drain(self) -> None:
        """Leaves out what else comes at once: answers to calls that were sent twice."""
        while select.select([self._descriptor], [], [], 0.05)[0]:
            if not os.read(self._descriptor, 65_536):
                break
        self._pending = b""


class _Files:
    """The files that a command names, as the board asks for them."""

    def __init__(self, allowed: Mapping[str, Path]) -> None:
        self._allowed = allowed
        self._open: list[Path] = []
        self.answers: Mapping[str, Callable[[Mapping[str, Any]], bytes]] = {
            "open": self._opened,
            "read": self._read,
            "write": self._written,
            "close": lambda _event: b"\1",
        }

    def _opened(self, event: Mapping[str, Any]) -> bytes:
        path = self._allowed.get(str(event.get("path")))
        if path is None or (not event.get("write") and not path.is_file()):
            return b"\xff"
        if path not in self._open:
            self._open.append(path)
        if event.get("write"):
            path.write_bytes(b"")
        return bytes([self._open.index(path)])

    def _read(self, event: Mapping[str, Any]) -> bytes:
        with self._named(event).open("rb") as stream:
            stream.seek(_number(event, "at"))
            return stream.read(min(_number(event, "bytes"), 0xFFFF))

    def _written(self, event: Mapping[str, Any]) -> bytes:
        try:
            data = bytes.fromhex(str(event["hex"]))
        except ValueError:
            return b"\0"
        if zlib.crc32(data) != event.get("crc"):
            return b"\0"
        with self._named(event).open("r+b") as stream:
            stream.seek(_number(event, "at"))
            stream.write(data)
        return b"\1"

    def _named(self, event: Mapping[str, Any]) -> Path:
        handle = _number(event, "handle")
        if handle >= len(self._open):
            raise _GarbledError
        return self._open[handle]


class _GarbledError(Exception):
    """A number of a line that is none, or that no board of ours says."""


def _number(event: Mapping[str, Any], key: str, least: int = 0) -> int:
    """A number of a line, which is under no CRC: damage makes any other of it, or none."""
    number = event.get(key)
    if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= _LARGEST:
        raise _GarbledError
    return number


def _frame(turn: int, data: bytes) -> bytes:
    body = struct.pack("<BH", turn & 0xFF, len(data)) + data
    return body + struct.pack("<I", zlib.crc32(body))


def _turn(event: Mapping[str, Any]) -> int:
    turn = event.get("turn")
    if not isinstance(turn, int):
        raise NoAnswerError("the board's firmware is of another version of Dimmer: flash what this one builds")
    return turn


def _event(line: str) -> Mapping[str, Any] | None:
    """A line as an event; None for half of one."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


@contextmanager
def open_port(port: str, how: str = "with --port") -> Iterator[Link]:
    """A serial port of this machine, at 115200 baud, 8 bits, no parity.

    Args:
        how: a port is named, for errors.

    Raises:
        TargetError: there is none of this name, or it cannot be opened.
    """
    try:
        descriptor = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as error:
        raise TargetError(f"{port} cannot be opened ({error.strerror}): name the board's port {how}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TargetError(
                f"{port} is in use by another program, which would take a part of what the board says: end that first"
            ) from error
        try:
            _make_raw(descriptor)
        except termios.error as error:
            raise TargetError(f"{port} is no serial port: name the board's {how}") from error
        yield Link(descriptor)
    finally:
        os.close(descriptor)


def _make_raw(descriptor: int) -> None:
    settings = termios.tcgetattr(descriptor)
    settings[0] = settings[1] = settings[3] = 0
    settings[2] = termios.CS8 | termios.CREAD | termios.CLOCAL
    settings[4] = settings[5] = termios.B115200
    settings[6][termios.VMIN] = settings[6][termios.VTIME] = 0
    termios.tcsetattr(descriptor, termios.TCSANOW, settings)


def listening(command: Sequence[str], words: Sequence[str], cwd: Path, timeout_s: float) -> CompletedProcess[str]:
    """Starts an emulator and runs one command of its firmware over its serial line.

    Args:
        command: of the emulator; {serial} in it is the path of a socket, to which it connects.

    Raises:
        OSError: there is no such program.
        TimeoutExpired: it took longer; it was ended.
    """
    with children.scratch() as folder, socket.socket(socket.AF_UNIX) as server:
        path = folder / "serial"
        server.bind(str(path))
        server.listen(1)
        filled = [word.replace("{serial}", str(path)) for word in command]
        with (folder / "said").open("w+") as said, children.started(filled, cwd=cwd, stdout=said, stderr=said) as child:
            end = time.monotonic() + timeout_s
            while not select.select([server], [], [], 0.05)[0]:
                if child.poll() is not None or time.monotonic() > end:
                    return _ended(child, said.name, filled, timeout_s)
            line, _ = server.accept()
            with line:
                link = Link(line.fileno())
                try:
                    link.call(min(timeout_s, ANSWER_S))
                    # Without a command it would show itself for ever; a board is told what to do.
                    done = link.run(words or ["selftest"], cwd, timeout_s)
                except NoAnswerError:
                    return _ended(child, said.name, filled, timeout_s)
        text = "".join(f"{one}\n" for one in done.lines)
        return CompletedProcess(filled, done.code, text, "")


@contextmanager
def telling(command: Sequence[str], cwd: Path, timeout_s: float) -> Iterator[Iterator[str]]:
    """Starts an emulator and gives the lines that its firmware says over its serial line by itself.

    Args:
        command: as for `listening`.

    Raises:
        OSError: there is no such program.
        NoAnswerError: it ended before it could speak.
    """
    with children.scratch() as folder, socket.socket(socket.AF_UNIX) as server:
        path = folder / "serial"
        server.bind(str(path))
        server.listen(1)
        filled = [word.replace("{serial}", str(path)) for word in command]
        with (folder / "said").open("w+") as said, children.started(filled, cwd=cwd, stdout=said, stderr=said) as child:
            end = time.monotonic() + timeout_s
            while not select.select([server], [], [], 0.05)[0]:
                if child.poll() is not None or time.monotonic() > end:
                    why = (Path(said.name).read_text(errors="replace").strip().splitlines() or ["it says nothing"])[-1]
                    raise NoAnswerError(f"{Path(filled[0]).name} does not run the firmware: {why}")
            line, _ = server.accept()
            with line:
                yield Link(line.fileno()).lines()


def _ended(child: Popen[str], said: str, command: list[str], timeout_s: float) -> CompletedProcess[str]:
    """An emulator that ended, or that no longer speaks."""
    try:
        status = child.wait(timeout=1.0)
    except TimeoutExpired:
        raise TimeoutExpired(command, timeout_s) from None
    # 1 is what the firmware says of a self-test that fails; here it never came to that.
    return CompletedProcess(command, 2 if status in (0, 1) else status, "", Path(said).read_text(errors="replace"))
