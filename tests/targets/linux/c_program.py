# SPDX-License-Identifier: Apache-2.0
"""Small programs around the Linux program's C files, compiled for this machine."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from dimmer.firmware_gen.library import INCLUDE
from dimmer.pipeline.core.stage import ROOT

LINUX = ROOT / "targets" / "linux"
FLAGS = ["-std=gnu99", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wundef", "-Werror"]


def compile_program(main: str, sources: Sequence[str], folder: Path) -> Path:
    """``main`` and files of targets/linux -> a program, with the sanitizers that gcc brings."""
    source, program = folder / "main.c", folder / "program"
    source.write_text(main)
    files = [str(source), *(str(LINUX / name) for name in sources)]
    command = ["gcc", *FLAGS, "-fsanitize=address,undefined", f"-I{LINUX}", f"-I{INCLUDE}", *files]
    done = subprocess.run([*command, "-o", str(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return program
