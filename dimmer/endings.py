# SPDX-License-Identifier: Apache-2.0
"""How a command ends that cannot go on: one line that says why, and an exit status.

Nothing here needs another package, so that a missing one can be told, too.
"""

from __future__ import annotations

import atexit
import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from dimmer.errors import DimmerError

DEBUG = "DIMMER_DEBUG"
"""Environment variable: 1 for the traceback of an error."""
STOPPED = "stopped; the same command goes on where it stopped"
USER_ERROR, FAULT, BROKEN_PIPE = 2, 70, 141
"""Exit statuses: what a person can mend; a fault in Dimmer (EX_SOFTWARE of sysexits.h); nobody reads the output."""

_ADVICE = {
    errno.EACCES: "change its permissions, or name another place",
    errno.EPERM: "change its permissions, or name another place",
    errno.EROFS: "it lies on a disk that is read-only: name another place",
    errno.ENOSPC: "free some space there and run the same command again",
    errno.EDQUOT: "free some space there and run the same command again",
    errno.ENOTDIR: "a part of this path is a file: name another place, or move that file",
    errno.EISDIR: "it is a folder: name a file",
    errno.EEXIST: "move it away, or name another place",
    errno.ENOENT: "check the path",
    errno.EMFILE: "raise the limit of open files: ulimit -n 1024",
    errno.ENAMETOOLONG: "take a shorter name",
    errno.ELOOP: "the links there lead in a circle: name another place",
}
_OLDEST = (3, 11)
_NO_MEMORY = (
    "can't allocate memory",
    "cannot allocate memory",
    "failed to map segment",
    "can't start new thread",
    "unable to allocate",
    "bad_alloc",
    "failed to create thread",
)


@dataclass(frozen=True)
class Ending:
    """Why a command ends.

    Attributes:
        line: for stderr, without "error: "; empty where nothing is to be said.
        status: exit status of the command.
    """

    line: str
    status: int


def ending_of(error: BaseException) -> Ending:
    """What to say of an exception that nobody has caught."""
    said = " ".join(str(error).split())
    if isinstance(error, DimmerError):
        return Ending(said, USER_ERROR)
    if isinstance(error, BrokenPipeError):
        return Ending("", BROKEN_PIPE)
    if isinstance(error, MemoryError) or _is_want_of_memory(error, said):
        return Ending(
            f"there is too little memory ({said[:200] or 'MemoryError'}): end other programs or raise the limit "
            "(ulimit -v, the container's), then run the same command again",
            USER_ERROR,
        )
    if isinstance(error, OSError) and error.errno is not None:
        where = f"{_text(error.filename)}: " if error.filename is not None else ""
        what = (error.strerror or said).lower()
        advice = _ADVICE.get(error.errno, f"{DEBUG}=1 shows where it happened")
        return Ending(f"{where}{what}; {advice}", USER_ERROR)
    if isinstance(error, UnicodeError):
        return Ending(
            f"a file, a name or the terminal is not UTF-8 ({said}): write it in UTF-8, and set LANG=C.UTF-8; "
            f"{DEBUG}=1 shows which",
            USER_ERROR,
        )
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] not in ("", "dimmer"):
        version = ".".join(map(str, sys.version_info[:3]))
        return Ending(
            f"the package {error.name} is not installed for {sys.executable} (Python {version}): type './nox setup' in "
            "the checkout and use its .venv/bin/python",
            USER_ERROR,
        )
    return Ending(
        f"a fault in Dimmer, {type(error).__name__}: {said[:300] or 'no message'}{_place(error)}; report it with what "
        f"{DEBUG}=1 before the same command shows",
        FAULT,
    )


def tell(error: BaseException) -> int:
    """Says on stderr why a command ends, with the traceback where it is asked for; gives its exit status."""
    ending = ending_of(error)
    if os.environ.get(DEBUG) == "1":
        traceback.print_exception(error)
    say(f"error: {ending.line}" if ending.line else "")
    return ending.status


def say(line: str) -> None:
    """A line on stderr, where there is somebody to read it."""
    if line:
        try:
            print(line, file=sys.stderr, flush=True)
        except (OSError, ValueError, UnicodeError):
            # Closed, full, or of another encoding: there is nothing left to say it with.
            return


def open_streams() -> None:
    """Opens standard input, output and error on /dev/null where a command was started with one of them closed.

    Python then has None there, and the next file that is opened gets its number: what a program prints would land in
    it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False))  # noqa: SIM115


def close_output(status: int = 0) -> int:
    """Writes out what was printed.

    Args:
        status: of the command so far; one that has failed has said why.

    Returns:
        The status, or that of a command whose output nobody reads any more or has room for.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        # What is still buffered would be tried again, and complained of, when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return status or tell(error)
    return status


def stop_at_once(number: int, _frame: FrameType | None) -> None:
    """Ends a command that has not begun yet: it is still being imported, which may take seconds."""
    say(STOPPED)
    os._exit(128 + number)


def take_signals(handler: Callable[[int, FrameType | None], None]) -> dict[signal.Signals, Any]:
    """Has Ctrl-C, SIGTERM and a closed terminal handled; one that is ignored, as under nohup, stays so.

    Returns:
        What handled them before.
    """
    ours = (signal.SIG_DFL, signal.default_int_handler, stop_at_once)
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    return {each: signal.signal(each, handler) for each, was in before.items() if was in ours}


def tell_of_imports() -> None:
    """From now on, what ends a command before its `main` is told in one line, too: a missing package, a signal.

    Raises:
        SystemExit: this Python is too old to read the rest.
    """
    if sys.version_info < _OLDEST:
        here, oldest = (".".join(map(str, version[:2])) for version in (sys.version_info, _OLDEST))
        say(
            f"error: this is Python {here} ({sys.executable}), and Dimmer needs {oldest}: use .venv/bin/python, which "
            "'./nox setup' makes"
        )
        raise SystemExit(USER_ERROR)
    open_streams()
    take_signals(stop_at_once)
    # Registered before all others, it is the last that is called.
    atexit.register(_finish)
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if os.environ.get(DEBUG) == "1" or not isinstance(error, Exception):
            before(kind, error, trace)
        else:
            say(f"error: {ending_of(error).line}")

    sys.excepthook = hook


def _finish() -> None:
    """The status is known, and all is written: a signal while Python takes itself apart changes nothing of it.

    Python puts handlers away as it begins with that, but leaves an ignored signal ignored.
    """
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)


def _is_want_of_memory(error: BaseException, said: str) -> bool:
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    return isinstance(error, RuntimeError | ImportError | OSError) and any(t in said.lower() for t in _NO_MEMORY)


def _text(name: object) -> str:
    return os.fsdecode(name) if isinstance(name, str | bytes | os.PathLike) else str(name)


def _place(error: BaseException) -> str:
    """Where in Dimmer it was raised."""
    root = Path(__file__).resolve().parent.parent
    frames = traceback.extract_tb(error.__traceback__)
    for frame in reversed(frames):
        path = Path(frame.filename)
        if path.is_relative_to(root) and ".venv" not in path.parts:
            return f" ({path.relative_to(root)}, line {frame.lineno})"
    return ""
