# SPDX-License-Identifier: Apache-2.0
"""`dimmer`: one command for all verbs, from any folder, with the project's own recipes and targets."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from dimmer.pipeline.cli import wanted_verb
from dimmer.pipeline.core.closure import ROOT
from dimmer.pipeline.core.verbs import VERBS
from dimmer.version import dimmer_version
from tests.tiny import TINY


def dimmer(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("DIMMER_")} | variables
    command = [sys.executable, "-m", "dimmer", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def children_s() -> float:
    """Seconds of the processor that this process's ended children took."""
    taken = os.times()
    return taken.children_user + taken.children_system


def test_version_and_help_answer_at_once(tmp_path: Path) -> None:
    assert dimmer(tmp_path, "--version").stdout == f"dimmer {dimmer_version()}\n"
    # Of the processor: others may work on this machine.
    began = children_s()
    shown = dimmer(tmp_path, "--help", COLUMNS="200").stdout
    assert children_s() - began < 5
    for name, verb in VERBS.items():
        assert name in shown
        assert verb.help[:40] in shown


def test_a_verb_is_the_same_by_both_roads(tmp_path: Path) -> None:
    by_name = dimmer(tmp_path, "convert", "--help").stdout
    module = [sys.executable, "-m", "pipeline.convert", "--help"]
    by_module = subprocess.run(module, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    usage = by_name.splitlines()[1], by_module.splitlines()[1]
    assert by_name.replace(usage[0], "") == by_module.replace(usage[1], "")
    assert "--build-dir" in by_name


@pytest.mark.parametrize("words", [["lamp"], ["convert", "--modle", "x"], ["convert", "--model"]])
def test_a_wrong_word_is_told(tmp_path: Path, words: Sequence[str]) -> None:
    done = dimmer(tmp_path, *words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize(
    ("words", "verb"),
    [
        (["dimmer", "build", "--target", "host"], "build"),
        (["dimmer", "--version"], None),
        (["dimmer", "--install-completion"], None),
        (["dimmer"], None),
        (["build", "size"], "size"),
    ],
)
def test_the_verb_of_a_line(words: list[str], verb: str | None) -> None:
    assert wanted_verb(words) == verb


def test_completion_knows_verbs_and_options(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("dimmer")
    if not program.is_file():
        pytest.skip("needs the package installed: ./nox setup")

    def completed(typed: str) -> list[str]:
        asked = {"_DIMMER_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
        variables = os.environ | asked
        done = subprocess.run([program], cwd=tmp_path, env=variables, capture_output=True, text=True, check=True)
        return done.stdout.split()

    assert completed("dimmer cal") == ["calibrate"]
    assert completed("dimmer convert --m") == ["--model"]
    assert completed("dimmer convert --model cif") == [
        f"cifar10-{name}" for name in ("cct", "mobilenet-v2", "r14", "r20", "swin")
    ]
    assert completed("dimmer size --target mps3") == ["mps3-an547"]


def test_a_project_brings_recipes_targets_and_defaults(tmp_path: Path) -> None:
    (tmp_path / "models" / "door").mkdir(parents=True)
    (tmp_path / "models" / "door" / "recipe.toml").write_text(TINY)
    lock = tmp_path / "targets" / "lock"
    shutil.copytree(ROOT / "targets" / "host", lock)
    text = (lock / "target.toml").read_text()
    (lock / "target.toml").write_text(text.replace("../app/", "dimmer:app/"))
    (tmp_path / "dimmer.toml").write_text('[project]\nmodel = "door"\ntarget = "lock"\n')
    below = tmp_path / "notes"
    below.mkdir()
    assert "door" in dimmer(below, "models", COLUMNS="200").stdout
    assert "lock" in dimmer(below, "targets", COLUMNS="200").stdout
    shown = " ".join(dimmer(below, "build", "--help", COLUMNS="200").stdout.split())
    assert "[default: door]" in shown
    assert "[default: lock]" in shown
    done = dimmer(below, "convert")
    assert done.returncode == 2
    assert f"{tmp_path}/build/door/calibrate" in done.stderr
    done = dimmer(below, "convert", "--build-dir", "elsewhere")
    assert f"{below}/elsewhere/door/calibrate" in done.stderr
