# SPDX-License-Identifier: Apache-2.0
"""The wheel holds what a user needs: Python, the C runtime, targets, recipes with their weights, templates."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from dimmer.pipeline.core.closure import ROOT

FOLDERS = ("pipeline", "calibration", "firmware_gen", "targets", "benchmarks", "models")


pytestmark = pytest.mark.xdist_group("wheel")


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    # From the files that git knows: a wheel made in a working checkout must not pick up what lies there besides.
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("needs a git checkout")
    source = folder / "source"
    for name in filter(None, tracked.stdout.split("\0")):
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*command, "-w", folder, source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("dimmer_nn-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_every_tracked_file_of_the_package_is_in_it(names: set[str]) -> None:
    listed = subprocess.run(["git", "ls-files", "-z", *FOLDERS, "dimmer"], cwd=ROOT, capture_output=True, text=True)
    files = [name for name in filter(None, listed.stdout.split("\0")) if (ROOT / name).is_file()]
    wanted = {name if name.startswith("dimmer/") else f"dimmer/{name}" for name in files}
    assert len(wanted) > 300
    pictures = {name for name in wanted if name.endswith(".svg")}
    # Trainings under way go on in a checkout; nobody installs them.
    begun = {name for name in wanted if "/experiments/begun/" in name}
    assert not begun & names
    assert wanted - pictures - begun - names == set()


def test_nothing_lies_bare_in_site_packages(names: set[str]) -> None:
    assert {name.split("/")[0] for name in names if "dist-info" not in name} == {"dimmer"}
    assert not any("__pycache__" in name or name.startswith("dimmer/tests") for name in names)


def test_the_command_comes_with_it(names: set[str]) -> None:
    assert any(name.endswith("dist-info/entry_points.txt") for name in names)


@pytest.mark.parametrize("name", ["runtime/src/engine.c", "runtime/include/dimmer.h", "runtime/kernels/dsp/dot_dsp.c"])
def test_the_runtime_is_in_it(names: set[str], name: str) -> None:
    assert f"dimmer/firmware_gen/{name}" in names
    assert Path(ROOT / "firmware_gen" / name).is_file()
