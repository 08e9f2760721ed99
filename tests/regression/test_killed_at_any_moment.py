# SPDX-License-Identifier: Apache-2.0
"""Killed builds left workers alive for minutes, which wrote into the next run's folder.

A build is killed, with SIGKILL and with SIGTERM, at random moments of all stages: no process is left two seconds later,
and the run after it makes the same bytes as one that was left alone.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from dimmer.pipeline.core.stage import ROOT
from tests.tiny import TINY, TinyBuild, calibrated, silent

GONE_WITHIN_S = 2.0
TARGET = "mps2-an386"
STAGES = (
    "train",
    "calibrate",
    "export",
    "convert",
    "host/firmware",
    f"{TARGET}/firmware",
    f"{TARGET}/verify",
)
LONG_KILLS = int(os.environ.get("DIMMER_TEST_KILLS", "50"))
TIMES = frozenset({"seconds", "stages", "made", "device"})
"""Keys of JSON files that tell of the run and not of the result."""


@dataclass(frozen=True)
class Command:
    """A command over a build folder that no other test uses."""

    words: tuple[str, ...]
    builds: Path

    def start(self) -> subprocess.Popen[str]:
        environment = {**os.environ, "DIMMER_BUILD": str(self.builds), "OMP_NUM_THREADS": "1"}
        words = [sys.executable, "-m", *self.words]
        return subprocess.Popen(words, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)

    def to_the_end(self) -> None:
        with self.start() as process:
            _, said = process.communicate(timeout=600)
            assert process.returncode == 0, said

    def processes(self) -> dict[int, str]:
        """All that live and were started for this folder: it is in their environment."""
        mark, found = f"DIMMER_BUILD={self.builds}".encode(), {}
        for folder in Path("/proc").iterdir():
            try:
                if folder.name.isdigit() and mark in (folder / "environ").read_bytes().split(b"\0"):
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
        return found


def is_held(lock: Path) -> bool:
    """Whether a run works on a stage: what killed runs left of it tells nothing."""
    try:
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def killed(command: Command, number: signal.Signals, stage: Path, after_s: float) -> list[str]:
    """Kills a run some time after a stage has begun.

    Returns:
        What still lived two seconds later.
    """
    lock = stage.with_name(f".{stage.name}.lock")
    # The tests' own process may work in this folder, too.
    others = set(command.processes())
    with command.start() as process:
        while process.poll() is None and not is_held(lock):
            time.sleep(0.01)
        deadline = time.monotonic() + after_s
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        ended = process.poll() is not None
        process.send_signal(number)
        sent = time.monotonic()
        _, said = process.communicate(timeout=30)
        if not ended:
            assert process.returncode in ((-9,) if number == signal.SIGKILL else (143, 0)), said
            if process.returncode == 143:
                assert said.splitlines()[-1] == "stopped; the same command goes on where it stopped"
                assert "Traceback" not in said
    while (
        left := {pid: line for pid, line in command.processes().items() if pid not in others}
    ) and time.monotonic() < sent + GONE_WITHIN_S:
        time.sleep(0.02)
    return list(left.values())


def contents(folder: Path) -> Mapping[str, object]:
    """Relative name -> content of every file that a build leaves, times left out."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not path.name.endswith(".lock") and path.name != "report.html":
            found[name] = _without_times(json.loads(path.read_text())) if path.suffix == ".json" else path.read_bytes()
    return found


def _without_times(value: object) -> object:
    if isinstance(value, dict):
        # A manifest's hashes of files that tell times differ with these; the files themselves are compared.
        return {k: _without_times(v) for k, v in value.items() if k not in TIMES and k not in ("outputs", "inputs")}
    return [_without_times(v) for v in value] if isinstance(value, list) else value


def differing(one: Mapping[str, object], other: Mapping[str, object]) -> list[str]:
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


@pytest.mark.slow
def test_the_converter_is_killed(builds: Path) -> None:
    from dimmer.pipeline import export

    built: TinyBuild = calibrated(builds, "tiny-killed-r10", TINY)
    export.run(built.recipe, built.build, silent)
    path = str(built.recipe.path)
    command = Command(("dimmer.pipeline.convert", "--model", path), builds)
    for number in (signal.SIGKILL, signal.SIGTERM):
        assert killed(command, number, built.build / "convert", after_s=3.0) == []
        assert not (built.build / "convert").exists()
    command.to_the_end()
    once = contents(built.build / "convert")
    assert any(name.endswith(".tflite") for name in once)
    # Again, from nothing and left alone.
    (built.build / "convert").rename(builds / "killed-convert")
    command.to_the_end()
    assert differing(once, contents(built.build / "convert")) == []


@pytest.mark.slow
@pytest.mark.board(TARGET)
def test_a_build_is_killed_in_every_stage(tmp_path: Path) -> None:
    seed = int(os.environ.get("DIMMER_TEST_SEED", "1"))
    chance = random.Random(seed)
    recipe = tmp_path / "models" / "tiny-r10" / "recipe.toml"
    recipe.parent.mkdir(parents=True)
    recipe.write_text(TINY)
    builds = tmp_path / "builds"
    words = ("dimmer.pipeline.build", "--model", str(recipe), "--target", TARGET, "--quiet")
    command = Command(words, builds)
    command.to_the_end()
    builds.rename(tmp_path / "whole")
    hit = dict.fromkeys(STAGES, 0)
    for kill in range(LONG_KILLS):
        stage = STAGES[kill * len(STAGES) // LONG_KILLS]
        number = signal.SIGKILL if kill % 2 else signal.SIGTERM
        left = killed(command, number, builds / "tiny-r10" / stage, chance.uniform(0.0, 2.5))
        assert left == [], f"seed {seed}, kill {kill} by {number.name} in {stage}: {left}"
        hit[stage] += 1
        print(f"kill {kill}: {number.name} in {stage}, nothing left", flush=True)
    assert min(hit.values()) > 0
    command.to_the_end()
    assert differing(contents(tmp_path / "whole"), contents(builds)) == []
