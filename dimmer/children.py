# SPDX-License-Identifier: Apache-2.0
"""Other programs that Dimmer starts: compilers, emulators, converters, ssh. None of them outlives the command.

Each has a process group of its own and is ended with all that it started when its time is up, when the command fails,
and on Ctrl-C and SIGTERM (`stop`). When the command itself is killed, with SIGKILL or by the kernel for want of memory,
a guard (`dimmer.guard`) ends what it had started. Workers in Python ask the kernel as well (`die_with`).

In a user's program, which imports Dimmer, all that holds for what Dimmer starts alone; a command has everything guarded
that it starts (`share`).

Children write into folders that `scratch` makes: no other run knows their names, and they go when the command ends,
however it ends. What a child made is moved to its place by the command.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dimmer.errors import DimmerError
from dimmer.guard import TOKENS, end

_GUARD = Path(__file__).with_name("guard.py")
_PR_SET_PDEATHSIG = 1
_LAST_LOOKS_S = (0.0, 0.05)
_MOST = 300  # characters of an exception's text
REASON = ".why"
"""File in a worker's folder: what it raised, in a line."""


class StoppingError(DimmerError):
    """The command is being stopped: nothing new is started."""


@dataclass(frozen=True)
class _Command:
    """This process, as its children see it.

    Attributes:
        token: its name in their environment.
        folder: its temporary one.
        guard: the process that waits for its death.
        owner: its own id; a process that it forks is another.
    """

    token: str
    folder: Path
    guard: subprocess.Popen[bytes]
    owner: int


_lock = threading.RLock()
_running: set[subprocess.Popen[str]] = set()
_stopping = False
_command: _Command | None = None
_shares = False


def share() -> None:
    """Has all guarded that this process starts, once it starts anything by itself: for commands, whose process it is,
    and for libraries that start programs themselves.
    """
    global _shares
    with _lock:
        _shares = True
        if _command is not None:
            os.environ[TOKENS] = _tokens(_command)


def _tokens(command: _Command) -> str:
    """What children find in their environment."""
    above = os.environ.get(TOKENS, "").split()
    return " ".join(above if command.token in above else [*above, command.token])


def watch() -> Path:
    """Has this process guarded from now on.

    Returns:
        Its temporary folder.

    Raises:
        OSError: no temporary folder can be made.
    """
    global _command
    with _lock:
        if _command is None:
            folder = Path(tempfile.mkdtemp(prefix="dimmer-"))
            token = f"{os.getpid()}.{time.time_ns()}"
            words = [sys.executable, "-I", "-S", str(_GUARD), token, str(os.getpid()), str(folder)]
            # Without tokens of its own, so that no other guard ends it before its work is done.
            plain = {name: value for name, value in os.environ.items() if name != TOKENS}
            guard = subprocess.Popen(
                words,
                cwd="/",
                env=plain,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            _command = _Command(token, folder, guard, os.getpid())
            if _shares:
                os.environ[TOKENS] = _tokens(_command)
            atexit.register(leave)
        return _command.folder


def leave() -> None:
    """At the end of this process: does at once what the guard would do a moment later.

    All children are gone by then; but where the command was stopped, one may have been starting at that moment.
    """
    if _command is None or os.getpid() != _command.owner:
        return
    if _stopping:
        end(_command.token, _LAST_LOOKS_S)
    _command.guard.kill()
    _command.guard.wait()
    shutil.rmtree(_command.folder, ignore_errors=True)


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for what children write, of this use alone; removed afterwards."""
    with tempfile.TemporaryDirectory(dir=watch()) as folder:
        yield Path(folder)


@contextmanager
def started(
    command: Sequence[str | os.PathLike[str]],
    *,
    cwd: Path | None = None,
    stdout: int | IO[str] = subprocess.PIPE,
    stderr: int | IO[str] = subprocess.PIPE,
) -> Iterator[subprocess.Popen[str]]:
    """A child that runs; at the end of the block it has ended, or is ended with all that it started.

    Raises:
        OSError: there is no such program, or it may not be run.
        StoppingError: the command is being stopped.
    """
    environment = {**os.environ, "TMPDIR": str(watch())}
    assert _command is not None
    environment[TOKENS] = _tokens(_command)
    with _lock:
        if _stopping:
            raise StoppingError(f"{Path(command[0]).name} is not started: the command is being stopped")
        process = subprocess.Popen(
            list(command),
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            text=True,
            errors="replace",
            process_group=0,
        )
        _running.add(process)
    try:
        with process:
            try:
                yield process
            finally:
                _end(process)
    finally:
        with _lock:
            _running.discard(process)


def run(
    command: Sequence[str | os.PathLike[str]], *, cwd: Path | None = None, timeout_s: float | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end and keeps what it says.

    Raises:
        OSError: there is no such program, or it may not be run.
        subprocess.TimeoutExpired: it took longer; it was ended.
        StoppingError: the command is being stopped.
    """
    with started(command, cwd=cwd) as process:
        out, err = process.communicate(timeout=timeout_s)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def stop() -> None:
    """Ends all children at once and lets no other start."""
    global _stopping
    _stopping = True
    with _lock:
        for process in _running:
            _end(process)


def is_stopping() -> bool:
    """Whether `stop` was called."""
    return _stopping


def _end(process: subprocess.Popen[str]) -> None:
    """Kills a child's group, unless the child has ended well: then what it left behind is meant to be there."""
    if process.poll() != 0:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def how_it_ended(status: int) -> str:
    """A child's exit status in words; a negative one is the signal that killed it, as in `subprocess`.

    Example:
        >>> how_it_ended(1)
        'ended with status 1'
        >>> how_it_ended(-11)
        'was killed by SIGSEGV'
        >>> how_it_ended(-9)
        'was killed by SIGKILL, probably by the kernel for want of memory'
    """
    if status >= 0:
        return f"ended with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    why = ", probably by the kernel for want of memory" if -status == signal.SIGKILL else ""
    return f"was killed by {name}{why}"


def die_with(parent: int) -> None:
    """For a worker: the kernel kills this process when its parent dies, and it ends now if that has happened.

    The kernel means the thread that started the worker, so that thread waits for it.

    Args:
        parent: the parent's process id, told by the parent: who asks itself may be an orphan already.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


@contextmanager
def worker(folder: Path) -> Iterator[None]:
    """Around what a worker in Python does: it dies with its parent, and what is raised is kept in `folder` / REASON.

    Raises:
        SystemExit: something was raised; status 1.
    """
    die_with(int(os.environ[TOKENS].split()[-1].partition(".")[0]))
    try:
        yield
    except Exception as error:
        name = "" if isinstance(error, DimmerError) or not str(error) else f"{type(error).__name__}: "
        (folder / REASON).write_text(name + in_a_line(error))
        raise SystemExit(1) from error


def worker_arguments(module: str, does: str) -> list[str]:
    """The arguments of a worker, which no person gives.

    Raises:
        SystemExit: somebody types its name; it is told what this is.
    """
    arguments = sys.argv[1:]
    if TOKENS not in os.environ or not arguments or arguments[0].startswith("-"):
        asked = "--help" in arguments
        print(f"{module} {does}; it is started by Dimmer and takes nothing from people", file=sys.stderr)
        raise SystemExit(0 if asked else 2)
    return arguments


def in_a_line(error: BaseException) -> str:
    """What an exception says, in one line; its name where it says nothing.

    Example:
        >>> in_a_line(ValueError("no lamp   here"))
        'no lamp here'
        >>> in_a_line(MemoryError())
        'MemoryError'
    """
    return " ".join(str(error).split())[:_MOST] or type(error).__name__
