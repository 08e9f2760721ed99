# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from dimmer.errors import DimmerError
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


@pytest.mark.parametrize("option", ["name", "target", "dataset", "data", "label"])
def test_what_tells_of_a_project_is_refused_without_one(option: str) -> None:
    given: dict[str, Any] = {option: "lamp"}
    with pytest.raises(DimmerError, match=rf"^--{option} goes with --project; leave it out for the table alone$"):
        main(f"{NETS}:small", size="3x16x16", **given)


def test_a_project_is_told_file_by_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(f"{NETS}:small", size="3x16x16", project=tmp_path / "lamp", data=str(photos(tmp_path / "photos")))
    said = capsys.readouterr().out
    assert str(tmp_path / "lamp" / "models" / "lamp" / "original.safetensors") in said
    assert "dimmer build     # lamp for host" in said


MOBILENET_V4 = ("888888.888888", "888888.888000", "888000.888888", "888000.888000")
MOBILENET_V2 = ("88.888.8888.888.888", "88.888.8800.888.888", "80.880.8800.880.880")


@pytest.mark.slow
@pytest.mark.board
@pytest.mark.parametrize(
    ("source", "arguments", "modes", "outer"),
    [
        ("timm:mobilenetv4_conv_small_035", [], MOBILENET_V4, False),
        ("torchvision:mobilenet_v2", ["width_mult=0.25"], MOBILENET_V2, True),
    ],
    ids=["timm", "torchvision"],
)
def test_a_network_of_a_library_runs_exactly_on_an_emulated_m4(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    arguments: list[str],
    modes: tuple[str, ...],
    outer: bool,
) -> None:
    if any(importlib.util.find_spec(name) is None for name in ("timm", "torchvision")):
        pytest.skip("timm is not installed: pip install '.[adapt]'")
    from dimmer.pipeline import build

    project = tmp_path / "lamp"
    images = str(photos(tmp_path / "photos", 60))
    main(source, arguments, size="3x32x32", project=project, data=images, target="mps2-an386")
    recipe = project / "models" / "lamp" / "recipe.toml"
    text = recipe.read_text()
    assert ("outer_twins = true" in text) is outer
    chosen = ", ".join(f'"{mode}"' for mode in modes) + f"]\nlimit = {len(modes)}"
    for old, new in (("epochs = 10", "epochs = 2"), ("batch = 32", "batch = 8"), ('"all"]', chosen)):
        assert old in text
        text = text.replace(old, new)
    recipe.write_text(text + SMALL)
    monkeypatch.chdir(project)
    build.main(model="lamp", target="mps2-an386")
    report = json.loads((project / "build" / "lamp" / "mps2-an386" / "report.json").read_text())
    assert tuple(mode["name"] for mode in report["modes"]) == modes
    assert all(mode["verify"]["samples"] and not mode["verify"]["mismatches"] for mode in report["modes"])
