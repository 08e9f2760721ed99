# SPDX-License-Identifier: Apache-2.0
"""`--out ""` or `--out .` replaced the folder that a person stood in, with all that was in it, by the firmware."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core.stage import MANIFEST, ROOT, Stage
from tests.firmware_gen.networks import tiny_resnet


def action(folder: Path) -> None:
    (folder / "made").touch()


def a_file(place: Path) -> None:
    place.write_text("mine")


def a_folder(place: Path) -> None:
    place.mkdir()
    (place / "mine.txt").write_text("mine")


def another_manifest(place: Path) -> None:
    a_folder(place)
    (place / MANIFEST).write_text(json.dumps({"name": "a page", "key": "mine"}))


def a_link_to_a_folder(place: Path) -> None:
    a_folder(place.with_name("far"))
    place.symlink_to(place.with_name("far"))


@pytest.mark.parametrize("make", [a_file, a_folder, another_manifest, a_link_to_a_folder])
def test_what_no_stage_has_made_is_not_replaced(make: Callable[[Path], None], tmp_path: Path) -> None:
    place = tmp_path / "out"
    make(place)
    before = {path.relative_to(tmp_path): path.is_file() and path.read_text() for path in tmp_path.rglob("*")}
    with pytest.raises(
        DimmerError, match=r"stage 'shine': .*out is there already and no result of a stage.*new folder"
    ):
        Stage("shine", place, action).run()
    after = {path.relative_to(tmp_path): path.is_file() and path.read_text() for path in tmp_path.rglob("*")}
    after.pop(Path(".out.lock"))
    assert after == before


def test_an_empty_folder_and_an_older_result_are(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert not Stage("shine", tmp_path / "out", action).run().cached
    assert not Stage("shine", tmp_path / "out", action, settings={"other": 1}).run().cached


@pytest.mark.parametrize("out", ["", ".", "{folder}", "{folder}/../mine"])
def test_the_command(out: str, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "lamp.tflite").write_bytes(tiny_resnet())
    # The checkout, for what the workers import, is not the folder that the command runs in.
    paths = [str(ROOT / "build" / "packages"), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "DIMMER_OFFLINE": "1"}
    words = [
        "--tflite",
        "lamp.tflite",
        "--target",
        "host",
        "--samples",
        "1",
        "--out",
        out.replace("{folder}", str(folder)),
    ]
    command = [sys.executable, "-m", "dimmer.pipeline.firmware", *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("error: ")) == (2, 1)
    assert "is there already and no result of a stage" in done.stderr
    assert [path.name for path in folder.iterdir()] == ["lamp.tflite"]
