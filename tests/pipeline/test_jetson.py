# SPDX-License-Identifier: Apache-2.0
"""The bundle stage and what the report tells of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from dimmer.pipeline import jetson
from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.artifacts.bundle import Bundle
from dimmer.pipeline.build import steps_for
from dimmer.pipeline.core.stage import ROOT, StageResult
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.targets import load_target
from dimmer.targets.target import TARGETS


def test_a_build_verifies_on_the_host_and_in_the_bundle() -> None:
    names = [step.name for step in steps_for(load_target("jetson"))]
    assert names == [
        "train",
        "calibrate",
        "export",
        "convert",
        "firmware (host)",
        "verify (host)",
        "tvm_module",
        "bundle",
    ]


@pytest.fixture
def context(tmp_path: Path) -> BuildContext:
    return BuildContext(load_recipe("mnist5k-r14"), load_target("jetson"), tmp_path / "mnist5k-r14")


@pytest.mark.parametrize("module", ["firmware", "size", "verify"])
def test_what_is_for_firmware_alone_says_so(module: str) -> None:
    command = [sys.executable, "-m", f"dimmer.pipeline.{module}", "--target", "jetson"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: jetson takes a bundle, no firmware: dimmer build --target jetson")
    assert done.stderr.count("\n") == 1


def test_a_target_by_its_path_has_the_folder_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path))
    for name in ("module_stage", "bundle_stage"):
        monkeypatch.setattr(jetson, name, lambda *_: SimpleNamespace(run=lambda: StageResult("stage", 0.0, True)))
    seen: list[Path] = []

    def load(folder: Path) -> SimpleNamespace:
        seen.append(folder)
        return SimpleNamespace(modes=())

    monkeypatch.setattr(Bundle, "load", load)
    jetson.main("mnist5k-r14", str(TARGETS / "jetson"))
    assert seen == [tmp_path / "mnist5k-r14" / "jetson" / "bundle"]
    assert capsys.readouterr().out.endswith(f"{tmp_path / 'mnist5k-r14' / 'jetson' / 'bundle' / 'mnist5k-r14'}\n")
