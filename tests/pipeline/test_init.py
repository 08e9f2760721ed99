# SPDX-License-Identifier: Apache-2.0
"""`dimmer init`: a project by flags from another process, and by the wizard on a terminal."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from dimmer.pipeline.recipe.recipe import load_recipe
from tests.pipeline.test_cli import dimmer


def test_by_flags(tmp_path: Path) -> None:
    words = ("--name", "bell", "--model-template", "cifar10-r14", "--target", "mps2-an386", "--own-target", "lock")
    done = dimmer(tmp_path, "init", "home", *words)
    assert done.returncode == 0, done.stderr
    home = tmp_path / "home"
    written, _, following = done.stdout.partition("\nNext:\n")
    assert {line.removeprefix("home/") for line in written.split()} == {
        str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()
    }
    assert [line.split("#")[0].strip() for line in following.splitlines()] == [
        "cd home",
        "dimmer doctor",
        "dimmer models",
        "dimmer build",
    ]
    assert load_recipe(home / "models" / "bell").model.dataset == "cifar10"
    assert "bell" in dimmer(home, "models", COLUMNS="200").stdout
    assert dimmer(home, "models", "--path", "bell").stdout == f"{home}/models/bell/recipe.toml\n"
    assert "lock" in dimmer(home, "targets", COLUMNS="200").stdout
    shown = " ".join(dimmer(home / "models", "build", "--help", COLUMNS="200").stdout.split())
    assert "[default: bell]" in shown
    assert "[default: lock]" in shown


def test_arrays_that_are_taken_for_inputs_and_outputs_are_told(tmp_path: Path) -> None:
    words = ("init", "home", "--name", "rig", "--data", "rig.npz", "--yes")
    arrays = {"image": np.zeros((60, 6, 4, 1), np.uint8), "imu": np.random.default_rng(0).standard_normal((60, 5, 2))}
    arrays |= {"kind": np.arange(60) % 2, "kg": np.arange(60) / 7, "id": np.arange(60)}
    np.savez(tmp_path / "rig.npz", **arrays)  # type: ignore[arg-type]
    done = dimmer(tmp_path, *words, DIMMER_CACHE=str(tmp_path / "cache"))
    assert done.returncode == 0, done.stderr
    assert "\n  inputs: image [6,4,1], imu [1,5,2]\n  outputs: kind (2 classes), kg (values)\n" in done.stdout


def test_in_the_working_directory_with_defaults(tmp_path: Path) -> None:
    folder = tmp_path / "Front Door"
    folder.mkdir()
    done = dimmer(folder, "init")
    assert done.returncode == 0, done.stderr
    assert load_recipe(folder / "models" / "front-door").model.dataset == "mnist5k"
    assert "cd " not in done.stdout
    assert "dimmer build     # front-door for host" in done.stdout
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    done = dimmer(folder, "init", "--target", "mps2-an386")
    assert done.returncode == 2
    assert done.stderr == "error: dimmer.toml is there already: nothing is written; move it, or name another folder\n"
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_wrong_word_writes_nothing(tmp_path: Path) -> None:
    wrong = (
        ["--name", "a/b"],
        ["--target", "steam"],
        ["--model-template", "x"],
        ["--own-target", "host"],
        ["--label", "y"],
    )
    for words in wrong:
        done = dimmer(tmp_path, "init", "home", *words)
        assert done.returncode == 2
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1
        assert not (tmp_path / "home").exists()


def test_the_folder_that_a_variable_names_can_be_made_a_project(tmp_path: Path) -> None:
    done = dimmer(tmp_path, "init", "home", DIMMER_PROJECT=str(tmp_path / "home"))
    assert done.returncode == 0, done.stderr
    assert "home" in dimmer(tmp_path, "models", COLUMNS="200", DIMMER_PROJECT=str(tmp_path / "home")).stdout


class Terminal:
    """`dimmer init` on a terminal of its own."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._end, theirs = pty.openpty()
        variables = {key: value for key, value in os.environ.items() if not key.startswith("DIMMER_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dimmer", "init", *words],
            cwd=folder,
            env={**variables, "TERM": "xterm", "COLUMNS": "100"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.shown = ""

    def until(self, text: str) -> None:
        """Waits until that is shown after what was awaited before."""
        seen = len(self.shown)
        end = time.monotonic() + 60
        while text not in self.shown[seen:] and time.monotonic() < end:
            self._read()
        assert text in self.shown[seen:], self.shown

    def type(self, line: str) -> None:
        os.write(self._end, f"{line}\n".encode())

    def press_until_the_end(self, key: str) -> None:
        """A key alone, again and again: one that comes just before the line editor waits is lost."""
        end = time.monotonic() + 60
        # When the process has ended, nobody holds the other side.
        with contextlib.suppress(OSError):
            while self.process.poll() is None and time.monotonic() < end:
                if key == "\x03":
                    # The terminal is not the one that controls the process.
                    self.process.send_signal(signal.SIGINT)
                else:
                    os.write(self._end, key.encode())
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(3)

    def finish(self) -> int:
        status = self.process.wait(60)
        with contextlib.suppress(OSError):
            while select.select([self._end], [], [], 0)[0]:
                self._read()
        os.close(self._end)
        return status

    def _read(self) -> None:
        if select.select([self._end], [], [], 1)[0]:
            self.shown += os.read(self._end, 1 << 16).decode()


def test_the_wizard(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "home")
    for question, answer in (
        ("Name of your model [home]:", "7 bells"),
        ("Name of your model [home]:", "bell"),
        ("or module:function [none]:", "nowhere"),
        ("or module:function [none]:", ""),
        ("Begin with [mnist5k-r14]:", ""),
        ("Build for [host]:", "mps2-an386"),
        ("a copy of mps2-an386 to change [none]:", "lock"),
    ):
        terminal.until(question)
        terminal.type(answer)
    assert terminal.finish() == 0, terminal.shown
    assert "'7 bells' is no name for a model" in terminal.shown
    assert "dimmer build     # bell for lock" in terminal.shown
    assert (tmp_path / "home" / "targets" / "lock" / "target.toml").is_file()
    assert load_recipe(tmp_path / "home" / "models" / "bell").model.dataset == "mnist5k"


def test_what_flags_say_is_not_asked(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "home", "--name", "bell", "--target", "host")
    terminal.until("or module:function [none]:")
    terminal.type("")
    terminal.until("Begin with [mnist5k-r14]:")
    terminal.type("")
    assert terminal.finish() == 0
    assert "Name of your model" not in terminal.shown
    terminal = Terminal(tmp_path, "other", "--yes")
    assert terminal.finish() == 0
    assert "[" not in terminal.shown.split("Next")[0]


@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_a_wizard_that_is_left_writes_nothing(tmp_path: Path, key: str) -> None:
    terminal = Terminal(tmp_path, "home")
    terminal.until("Name of your model [home]:")
    terminal.press_until_the_end(key)
    assert terminal.finish() != 0
    assert "Traceback" not in terminal.shown
    assert not (tmp_path / "home").exists()
