# SPDX-License-Identifier: Apache-2.0
"""Waits for a command to die and ends what it started: a program, ``python -I -S guard.py TOKEN PID FOLDER``.

A command that is killed with SIGKILL cannot clean up, and what its children have started, such as a compiler's passes,
is not even known to it. All of them inherit its token in their environment: by that they are found, whatever group or
session they are in. Then the command's temporary folder is removed.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

TOKENS = "DIMMER_CHILD_OF"
"""Environment variable: the tokens of all commands above a process, apart by spaces."""

PAUSES_S = (0.0, 0.02, 0.05, 0.1, 0.2)
"""Between looks: who is between fork and exec when the command dies shows its token a moment later."""


def bearers(token: str) -> list[int]:
    """The processes that inherited a token; those of other users, which nobody could end, left out."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                variables = file.read().split(b"\0")
        except OSError:
            continue
        words = [value for value in variables if value.startswith(TOKENS.encode() + b"=")]
        if any(token.encode() in value.partition(b"=")[2].split() for value in words):
            found.append(int(name))
    return found


def end(token: str, pauses_s: Sequence[float] = PAUSES_S) -> None:
    """Kills all that inherited a token, until nobody is left for a while."""
    for pause in pauses_s:
        time.sleep(pause)
        for pid in bearers(token):
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue


def wait_for(pid: int) -> None:
    """Returns when a process, this one's parent, has ended."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        # A kernel before 5.3, or it has ended.
        while os.getppid() == pid:
            time.sleep(0.1)
        return
    if os.getppid() == pid:
        select.select([handle], [], [])


def main(token: str, pid: str, folder: str) -> None:
    """Command line."""
    wait_for(int(pid))
    end(token)
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
