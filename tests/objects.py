# SPDX-License-Identifier: Apache-2.0
"""Object files of the library, compiled once in a run for all tests of all workers that give the same command.

Its sources include no generated header, so that where a model's tables lie makes no difference. ccache would find them,
too, as it does from run to run, but a process each.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from dimmer.firmware_gen.library import RUNTIME

Run = Callable[[list[str], Path | None], None]


def shared_objects(run: Run, store: Path) -> Run:
    """`run`, which calls a compiler, with a memory for files of the library.

    Args:
        run: takes a command and the folder that it runs in, and raises where it fails.
        store: a folder for the objects.
    """

    def remembering(command: list[str], cwd: Path | None = None) -> None:
        if "-c" not in command or not Path(command[command.index("-c") + 1]).is_relative_to(RUNTIME):
            run(command, cwd)
            return
        place = command.index("-o") + 1
        words = [word for word in (*command[:place], *command[place + 1 :]) if not word.startswith("-I")]
        stored = store / hashlib.sha256("\0".join(words).encode()).hexdigest()
        made = Path(cwd or ".") / command[place]
        if not stored.exists():
            run(command, cwd)
            # Two threads of a process may compile the same file at once.
            beside = stored.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
            shutil.copyfile(made, beside)
            os.replace(beside, stored)
        else:
            shutil.copyfile(stored, made)

    return remembering
