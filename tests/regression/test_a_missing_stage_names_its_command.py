# SPDX-License-Identifier: Apache-2.0
"""`verify` before a build said "run the stage that makes it first", and not what to type."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core.stage import ROOT, VERBS, VERBS_OF_TARGETS, Stage
from tests.test_house import VERBS as FILES


def makes(_folder: Path) -> None:
    raise AssertionError("the input is missing")


@pytest.mark.parametrize("folder", VERBS)
@pytest.mark.parametrize("file", ["", "deep/file.json"])
def test_every_stage_that_is_missing(folder: str, file: str, tmp_path: Path) -> None:
    of_target = VERBS[folder] in VERBS_OF_TARGETS
    place = tmp_path / "lamp" / "board" / folder if of_target else tmp_path / "lamp" / folder
    stage = Stage("shout", tmp_path / "lamp" / "shout", makes, [place / file])
    words = f"python -m pipeline.{VERBS[folder]} --model lamp" + (" --target board" if of_target else "")
    with pytest.raises(DimmerError, match=re.escape(f" is missing; first type '{words}'")):
        stage.run()


def test_these_verbs_are_there() -> None:
    assert set(VERBS.values()) <= {path.stem for path in FILES}


@pytest.mark.parametrize(
    ("verb", "then"),
    [
        ("export", "calibrate --model mnist5k-r14"),
        ("convert", "calibrate --model mnist5k-r14"),
        ("firmware", "convert --model mnist5k-r14"),
        ("verify", "convert --model mnist5k-r14"),
        ("simulate", "build --model mnist5k-r14 --target mps2-an386"),
    ],
)
def test_verbs_before_a_build(verb: str, then: str, tmp_path: Path) -> None:
    environment = {**os.environ, "DIMMER_BUILD": str(tmp_path)}
    trained = tmp_path / "mnist5k-r14" / "train" / "checkpoint.safetensors"
    trained.parent.mkdir(parents=True)
    trained.touch()
    words = [sys.executable, "-m", f"dimmer.pipeline.{verb}", "--model", "mnist5k-r14"]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"type 'python -m pipeline.{then}'" in done.stderr.splitlines()[-1]
