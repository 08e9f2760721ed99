# SPDX-License-Identifier: Apache-2.0
"""The command that tunes."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from dimmer.pipeline.core.stage import ROOT


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "dimmer.pipeline.tvm_tune", *arguments]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() == "aarch64", reason="the Jetson's code runs here")
def test_a_jetson_is_not_tuned_by_emulation() -> None:
    done = command("--target", "jetson")
    assert done.returncode == 2
    assert done.stderr.startswith("error: jetson's code is for aarch64, and emulation tells no time: name a board with")
    assert done.stderr.count("\n") == 1
