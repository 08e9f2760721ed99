# SPDX-License-Identifier: Apache-2.0
"""Flash tools that only write down how they were called, and images to give them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dimmer.targets.runners.flasher import Written


def record(folder: Path, patch: pytest.MonkeyPatch, tool: str, says: str = "", status: int = 0) -> Path:
    """Puts a tool first on PATH; returns the file with a line for each call."""
    bin_folder = folder / "bin"
    bin_folder.mkdir(exist_ok=True)
    calls = folder / f"{tool}.calls"
    (folder / f"{tool}.says").write_text(says)
    path = bin_folder / tool
    path.write_text(f'#!/bin/sh\necho "$@" >>{calls}\ncat {folder / (tool + ".says")}\nexit {status}\n')
    path.chmod(0o755)
    patch.setenv("PATH", f"{bin_folder}{os.pathsep}{os.environ['PATH']}")
    return calls


def image(folder: Path, origin: int = 0x08000000, data: bytes = b"lamp" * 100) -> Written:
    """An image, its .bin beside it; the ELF file is empty."""
    elf = folder / "firmware.elf"
    elf.touch()
    elf.with_suffix(".bin").write_bytes(data)
    return Written(elf, origin, data)


class Heard:
    """A progress that keeps what it is told."""

    def __init__(self) -> None:
        self.shares: list[float] = []

    def __call__(self, what: str, share: float) -> None:
        assert what
        self.shares.append(share)
