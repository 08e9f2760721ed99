# SPDX-License-Identifier: Apache-2.0
"""The guard ends what a killed command has started, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from dimmer import guard


def sleeper(tokens: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "60"], env={**os.environ, guard.TOKENS: tokens}, start_new_session=True)


def test_only_those_with_the_token_are_found_and_ended() -> None:
    mine, nested, other = sleeper("1.test"), sleeper("0.test 1.test 2.test"), sleeper("11.test")
    try:
        deadline = time.monotonic() + 10
        while set(guard.bearers("1.test")) != {mine.pid, nested.pid} and time.monotonic() < deadline:
            time.sleep(0.01)
        assert set(guard.bearers("1.test")) == {mine.pid, nested.pid}
        guard.end("1.test")
        assert (mine.wait(10), nested.wait(10), other.poll()) == (-9, -9, None)
    finally:
        for process in (mine, nested, other):
            process.kill()
            process.wait()


def test_it_waits_for_its_parent_and_removes_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    (folder / "file").touch()
    words = [sys.executable, "-I", "-S", guard.__file__]
    code = (
        "import os, subprocess\n"
        f"subprocess.Popen([*{words}, 'no.bearer', str(os.getpid()), {str(folder)!r}])\n"
        "print('on', flush=True); input()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"on\n"
    time.sleep(0.3)
    assert folder.is_dir()
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 10
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not folder.exists()
