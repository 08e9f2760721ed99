# SPDX-License-Identifier: Apache-2.0
"""dimmer survey."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dimmer.pipeline.core.closure import ROOT
from tests.firmware_gen.read.damaged import single


def test_a_page_is_written(tmp_path: Path) -> None:
    folder, out = tmp_path / "models", tmp_path / "models.md"
    folder.mkdir()
    (folder / "elu.tflite").write_bytes(single("ELU"))
    command = [sys.executable, "-m", "pipeline.survey", str(folder), "--target", "host", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(out)
    assert "| elu.tflite | refused |" in out.read_text()
