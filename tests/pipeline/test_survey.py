# SPDX-License-Identifier: Apache-2.0
"""dimmer survey."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.graph.micro import Reference
from dimmer.pipeline import survey
from dimmer.pipeline.core.closure import ROOT
from dimmer.pipeline.oracle import micro
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


def test_without_tflite_micro_no_file_is_called_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elu.tflite").write_bytes(single("ELU"))
    monkeypatch.setenv(micro.PYTHON, "/no/such/python")
    with pytest.raises(DimmerError, match="/no/such/python is no program"):
        survey.main(tmp_path, "host", reference=Reference.TFLM, out=tmp_path / "models.md")
    assert not (tmp_path / "models.md").exists()
