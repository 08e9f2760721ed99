# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from dimmer.pipeline.adapt import main
from tests.pipeline.projects.test_adapted import NETS, photos

SMALL = """
[calibration]
images = 32
bn_images = 64
methods = ["minmax"]

[verify]
images = 4
"""


def test_without_a_project_the_table_is_all(capsys: pytest.CaptureFixture[str]) -> None:
    main(f"{NETS}:small", size="3x16x16")
    said = capsys.readouterr().out
    assert said.splitlines()[1].split()[:3] == ["0", "one.0", "one.1"]
    assert "80.80" in said
    assert "--project FOLDER" in said


def test_a_project_is_told_file_by_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(f"{NETS}:small", size="3x16x16", project=tmp_path / "lamp", data=str(photos(tmp_path / "photos")))
    said = capsys.readouterr().out
    assert str(tmp_path / "lamp" / "models" / "lamp" / "original.safetensors") in said
    assert "dimmer build     # lamp for host" in said


@pytest.mark.slow
@pytest.mark.board
def test_a_network_of_timm_runs_in_every_mode_on_an_emulated_m4(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if any(importlib.util.find_spec(name) is None for name in ("timm", "torchvision")):
        pytest.skip("timm is not installed: pip install '.[adapt]'")
    from dimmer.pipeline import build

    project = tmp_path / "lamp"
    source = "timm:mobilenetv4_conv_small_035"
    main(source, size="3x32x32", project=project, data=str(photos(tmp_path / "photos", 60)), target="mps2-an386")
    recipe = project / "models" / "lamp" / "recipe.toml"
    recipe.write_text(
        recipe.read_text().replace("epochs = 10", "epochs = 2").replace("batch = 32", "batch = 8") + SMALL
    )
    monkeypatch.chdir(project)
    build.main(model="lamp", target="mps2-an386")
    report = json.loads((project / "build" / "lamp" / "mps2-an386" / "report.json").read_text())
    assert [mode["name"] for mode in report["modes"]] == [
        "888888.888888",
        "888888.888000",
        "888000.888888",
        "888000.888000",
    ]
    assert all(mode["verify"]["samples"] and not mode["verify"]["mismatches"] for mode in report["modes"])
