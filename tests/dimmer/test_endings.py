# SPDX-License-Identifier: Apache-2.0
"""Whatever stops a command is one line that a person can act on."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dimmer.endings import BROKEN_PIPE, FAULT, USER_ERROR, close_output, ending_of, tell, tell_of_imports
from dimmer.errors import DimmerError


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (DimmerError("the lamp\nis broken"), USER_ERROR, "the lamp is broken"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), BROKEN_PIPE, ""),
        (PermissionError(errno.EACCES, "Permission denied", "/lamp"), USER_ERROR, "/lamp: permission denied; change"),
        (OSError(errno.EROFS, "Read-only file system", b"/lamp"), USER_ERROR, "/lamp: read-only file system; it lies"),
        (OSError(errno.ENOSPC, "No space left on device"), USER_ERROR, "no space left on device; free some"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", Path("/a/b")), USER_ERROR, "/a/b: not a directory; a"),
        (OSError(errno.ENOTTY, "Not a tty", 3), USER_ERROR, "3: not a tty; DIMMER_DEBUG=1 shows"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), USER_ERROR, "there is too little memory"),
        (MemoryError(), USER_ERROR, "there is too little memory (MemoryError): end other programs"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"), USER_ERROR, "there is too little memory"),
        (RuntimeError("can't start new thread"), USER_ERROR, "there is too little memory"),
        (
            UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
            USER_ERROR,
            "a file, a name or the terminal",
        ),
        (ModuleNotFoundError("No module named 'lamp'", name="lamp"), USER_ERROR, "the package lamp is not installed"),
        (
            ModuleNotFoundError("No module named 'dimmer.x'", name="dimmer.x"),
            FAULT,
            "a fault in Dimmer, ModuleNotFound",
        ),
        (ValueError(), FAULT, "a fault in Dimmer, ValueError: no message; report it"),
        (RuntimeError("two\nlines"), FAULT, "a fault in Dimmer, RuntimeError: two lines; report it"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_every_kind_has_its_line_and_status(error: Exception, status: int, text: str) -> None:
    ending = ending_of(error)
    assert ending.status == status
    assert ending.line.startswith(text)
    assert "\n" not in ending.line


def test_the_traceback_is_there_for_who_asks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tell(ValueError("lamp")) == FAULT
    assert "Traceback" not in capsys.readouterr().err
    monkeypatch.setenv("DIMMER_DEBUG", "1")
    try:
        raise ValueError("lamp")
    except ValueError as error:
        tell(error)
    assert "Traceback" in capsys.readouterr().err


PRINTS = "import sys; from dimmer.pipeline.core.command import exit_status; sys.exit(exit_status(lambda: print('x')))"


def test_a_command_that_has_told_why_it_ends_says_nothing_more_of_its_output() -> None:
    code = "import sys; from dimmer.endings import close_output; print('lamp'); sys.exit(close_output(2))"
    with open("/dev/full", "w") as full:
        variables = os.environ | {"PYTHONUNBUFFERED": ""}
        words = [sys.executable, "-c", code]
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, env=variables, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_has_no_room_is_told(unbuffered: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    words = [sys.executable, "-c", PRINTS]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (USER_ERROR, 1)
    assert done.stderr.startswith("error: no space left on device")
    assert close_output() == 0


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_nobody_reads_is_no_error(unbuffered: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    reads, writes = os.pipe()
    os.close(reads)
    done = subprocess.run([sys.executable, "-c", PRINTS], stdout=writes, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writes)
    assert (done.returncode, done.stderr) == (BROKEN_PIPE, "")


def test_a_package_that_is_missing_is_told_before_the_command_begins() -> None:
    code = "from dimmer.endings import tell_of_imports; tell_of_imports(); import lamp_that_nobody_has"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: the package lamp_that_nobody_has is not installed for ")
    assert done.stderr.count("\n") == 1


def test_a_python_that_is_too_old_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.version_info", (3, 9, 2))
    with pytest.raises(SystemExit):
        tell_of_imports()
    assert capsys.readouterr().err.startswith("error: this is Python 3.9 (")


CLOSED = """
import os, sys
from dimmer.endings import open_streams
open_streams()
with open(sys.argv[1], "w") as file:
    assert file.fileno() > 2, file.fileno()
    os.system("echo lamp; echo lamp >&2")
    print("lamp")
    print("lamp", file=sys.stderr)
assert sys.stdin.read() == ""
"""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_takes_no_file_s_number(closed: str, tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-c", CLOSED, str(tmp_path / "kept")]
    done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "kept").read_bytes() == b""
