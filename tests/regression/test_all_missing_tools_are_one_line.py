# SPDX-License-Identifier: Apache-2.0
"""`dimmer firmware` named one missing package at a time, and after some work: compiler, then library, then emulator."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dimmer.pipeline.core.closure import ROOT
from tests.firmware_gen.networks import tiny_resnet

LINE = (
    "error: arm-none-eabi-gcc, qemu-system-arm not found: type "
    "'sudo apt-get install -y --no-install-recommends gcc-arm-none-eabi qemu-system-arm'"
)
VERBS = {
    "firmware": ["--tflite", "lamp.tflite"],
    "trade": ["--tflite", "lamp.tflite"],
    "survey": [".", "--out", "models.md"],
}


@pytest.mark.board("mps2-an386")
@pytest.mark.parametrize("verb", VERBS)
def test_what_a_verb_lacks_is_one_line_at_once(tmp_path: Path, verb: str) -> None:
    """The library stands where Debian puts it; commands are hidden by a PATH without them."""
    (tmp_path / "lamp.tflite").write_bytes(tiny_resnet())
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "apt-get").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bin" / "apt-get").chmod(0o755)
    before = {
        **os.environ,
        "PATH": str(tmp_path / "bin"),
        "DIMMER_OFFLINE": "1",
        "DIMMER_BUILD": str(tmp_path / "build"),
    }
    command = [sys.executable, "-m", f"dimmer.pipeline.{verb}", *VERBS[verb], "--target", "mps2-an386"]
    places = os.pathsep.join([str(ROOT), *sys.path])
    done = subprocess.run(
        command, cwd=tmp_path, env={**before, "PYTHONPATH": places}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.strip()) == (2, LINE)
    assert not (tmp_path / "build").exists()
    assert not (tmp_path / "models.md").exists()
