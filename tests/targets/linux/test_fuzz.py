# SPDX-License-Identifier: Apache-2.0
"""Damaged images, streams and batteries, under the sanitizers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dimmer.firmware_gen.library import RUNTIME
from tests.targets.linux.c_program import compile_program

MAIN = Path(__file__).with_name("fuzz.c")
CRC = RUNTIME / "src" / "crc.c"


@pytest.mark.parametrize("rounds", [300, pytest.param(20_000, marks=pytest.mark.slow)])
def test_nothing_goes_wrong_and_every_whole_frame_comes_out(tmp_path: Path, rounds: int) -> None:
    program = compile_program(MAIN.read_text(), ["frames.c", "battery.c", str(CRC)], tmp_path)
    (tmp_path / "files").mkdir()
    done = subprocess.run([program, tmp_path / "files", str(rounds), "1"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
