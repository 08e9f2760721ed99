# SPDX-License-Identifier: Apache-2.0
"""A build that is killed again and again ends with the same result as one that is left alone."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dimmer.pipeline.core.stage import ROOT
from tests.tiny import TINY

STAGES = ("train", "calibrate", "export", "convert", "host/firmware", "host/verify")


def start(recipe: Path, builds: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "dimmer.pipeline.build", "--target", "host", "--model", str(recipe), "--quiet"]
    environment = {**os.environ, "DIMMER_BUILD": str(builds), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)


def figures(builds: Path) -> Any:
    report = json.loads((builds / "tiny-r10" / "host" / "report.json").read_text())
    return {key: report[key] for key in ("flash", "ram", "modes", "candidates", "policy")}


@pytest.mark.slow
def test_kill_9_in_every_stage_and_a_correct_last_run(tmp_path: Path) -> None:
    folder = tmp_path / "tiny-r10"
    folder.mkdir()
    (folder / "recipe.toml").write_text(TINY)
    assert start(folder, tmp_path / "whole").wait(timeout=600) == 0
    killed_in = set()
    for stage in STAGES:
        build = start(folder, tmp_path / "killed")
        here = tmp_path / "killed" / "tiny-r10" / stage
        partial = here.with_name(f".{here.name}.partial")
        while build.poll() is None:
            if partial.is_dir():
                os.killpg(build.pid, signal.SIGKILL)
                killed_in.add(stage)
                break
        build.wait(timeout=600)
        assert not (here / "manifest.json").exists()
    assert killed_in == set(STAGES)
    assert start(folder, tmp_path / "killed").wait(timeout=600) == 0
    assert figures(tmp_path / "killed") == figures(tmp_path / "whole")
    assert not list((tmp_path / "killed").rglob("*.partial"))
