# SPDX-License-Identifier: Apache-2.0
"""The build systems' own tools, which lie apart from .venv: ./nox -s package-tools installs them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from dimmer.pipeline.core.closure import ROOT

BIN = ROOT / "build" / "package-tools" / "bin"


def tool(name: str, *words: object, cwd: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Runs one of them, which may write into `home` only; skips the test where it is not installed.

    Raises:
        AssertionError: it took longer than it should.
    """
    if not (BIN / name).is_file():
        pytest.skip("needs ./nox -s package-tools")
    own = {"HOME": str(home), "PLATFORMIO_CORE_DIR": str(home / "platformio"), "PYTHONPATH": ""}
    command = [str(BIN / name), *map(str, words)]
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **own}, capture_output=True, text=True, timeout=120, check=False
    )
