# SPDX-License-Identifier: Apache-2.0
"""Two builds in two folders give the same bytes, whatever the folders are called."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dimmer.pipeline.core.closure import ROOT
from dimmer.pipeline.image.order import foreign_order
from dimmer.pipeline.reporting.foreign import foreign_stage
from dimmer.targets import load_target
from tests.firmware_gen.networks import tiny_resnet
from tests.tiny import TINY, silent

OF_TIME = ("manifest.json", "report.json", "report.html", "history.json")
"""They say how many seconds something took."""


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in OF_TIME)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def compare(one: Path, other: Path, least: set[str]) -> None:
    ours, theirs = contents(one), contents(other)
    assert least <= {Path(name).name for name in ours}
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []


@pytest.mark.board("mps2-an386")
def test_a_firmware_of_a_file_that_came_alone(tmp_path: Path) -> None:
    folders = tmp_path / "a", tmp_path / "another" / "and a much longer" / "name"
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "lamp.tflite").write_bytes(tiny_resnet())
        order = foreign_order([folder / "lamp.tflite"], 1)
        stage = foreign_stage(order, [folder / "lamp.tflite"], load_target("mps2-an386"), folder / "out", silent)
        assert not stage.run().cached
    compare(folders[0] / "out", folders[1] / "out", {"firmware.elf", "firmware.bin", "dimmer_lamp.c", "bom.cdx.json"})


@pytest.mark.slow
@pytest.mark.board("mps2-an386")
def test_a_whole_build(tmp_path: Path) -> None:
    recipe = tmp_path / "lamp" / "recipe.toml"
    recipe.parent.mkdir()
    recipe.write_text(TINY)
    folders = tmp_path / "a", tmp_path / "another" / "and a much longer" / "name"
    words = ["-m", "pipeline.build", "--model", str(recipe), "--target", "mps2-an386", "--quiet"]
    for number, folder in enumerate(folders):
        # Nothing is taken from the compiler's cache, and the names of its temporary files differ.
        scratch = tmp_path / f"scratch{number}"
        scratch.mkdir()
        variables = {"DIMMER_BUILD": str(folder), "CCACHE_DISABLE": "1", "TMPDIR": str(scratch), "OMP_NUM_THREADS": "1"}
        subprocess.run([sys.executable, *words], cwd=ROOT, env={**os.environ, **variables}, check=True)
    compare(
        folders[0] / "lamp",
        folders[1] / "lamp",
        {"checkpoint.safetensors", "calibration.json", "88.88.tflite", "88.88.onnx", "firmware.elf", "bom.cdx.json"},
    )
