# SPDX-License-Identifier: Apache-2.0
"""A file is whole, readable for others, and left alone where it is the same already."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dimmer.firmware_gen.files import write_atomically


def test_others_can_read_it(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a.h", "x\n")
    assert (tmp_path / "a.h").read_text() == "x\n"
    assert (tmp_path / "a.h").stat().st_mode & 0o777 == 0o644


def test_the_same_text_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "a.h"
    write_atomically(path, "x\n")
    before = path.stat()
    write_atomically(path, "x\n")
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.h"
    write_atomically(path, "old\n")

    def full(_handle: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        write_atomically(path, "new\n")
    assert path.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [path]
