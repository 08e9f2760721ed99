# SPDX-License-Identifier: Apache-2.0
"""./nox: what it installs, with a Python that only writes down what it is asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PYTHON = """#!/bin/sh
case "$*" in
    "-c import sys"*) echo "{version}" ;;
    "-c "*) ;;
    "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    "-m pip index versions torch") echo "torch ({torch})" ;;
    "-m pip install "*) echo "$*" >>"{log}"; [ ! -e "{log}.fails" ] || exit 1; touch "$(dirname "$0")/nox" ;;
    *) echo "$*" >>"{log}" ;;
esac
"""


class Checkout:
    """A checkout's root, with a space in its name, and a Python for it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "the checkout"
        (self.root / "requirements").mkdir(parents=True)
        for path in [*ROOT.glob("requirements*.lock"), *ROOT.glob("requirements/*.txt"), ROOT / "pyproject.toml"]:
            shutil.copy(path, self.root / path.relative_to(ROOT))
        shutil.copy(ROOT / "nox", self.root / "nox")
        self.log = folder / "log"
        self.python = folder / "python3"
        self.environment = {"PATH": os.environ["PATH"], "PYTHON": str(self.python), "DIMMER_OFFLINE": "1"}

    def has(self, version: str, torch: str) -> None:
        self.python.write_text(PYTHON.format(version=version, torch=torch, log=self.log))
        self.python.chmod(0o755)

    def nox(self, *words: str) -> tuple[int, str, list[str]]:
        """Exit status, messages, and what Python was asked for, but for questions."""
        self.log.write_text("")
        done = subprocess.run(
            [self.root / "nox", *words], env=self.environment, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stderr, self.log.read_text().splitlines()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def lists(asked: list[str]) -> list[str]:
    """What pip was to install: the words behind its options."""
    return [line.split("--no-deps ")[-1] for line in asked if "pip install" in line and " -e " not in line]


def torch_version() -> str:
    (line,) = [line for line in (ROOT / "requirements" / "train.txt").read_text().splitlines() if "torch==" in line]
    return line.removeprefix("torch==")


HASHED = "--require-hashes -r requirements.lock"


@pytest.mark.skipif(Path("/dev/nvidiactl").exists(), reason="with a GPU torch is PyPI's build")
@pytest.mark.parametrize(
    ("version", "builds", "torch"),
    [
        ("3.13", "{0}", "--require-hashes -r requirements-cuda.lock"),
        ("3.13", "{0}+cpu", "torch=={0}+cpu"),
    ],
)
def test_every_package_is_compared_with_its_hash(checkout: Checkout, version: str, builds: str, torch: str) -> None:
    checkout.has(version, builds.format(torch_version()))
    status, said, asked = checkout.nox("setup")
    assert (status, lists(asked)) == (0, [HASHED, torch.format(torch_version())])
    assert ("no sha256 is known" in said) == ("hashes" not in torch)
    # The list is whole: pip looks for nothing else, and the checkout comes last.
    *_, compiled, last = asked
    assert all("--no-deps" in line for line in asked if line != compiled)
    assert last.endswith(f"-e {checkout.root}")
    # pip makes no bytecode; it is made on every core afterwards.
    assert "compileall" in compiled
    assert all("--no-compile" in line for line in asked[:-2])
    # Nothing changed: pip is not asked again, and nox runs in .venv.
    assert checkout.nox("-s", "lint") == (0, "", ["-m nox -s lint"])
    with (checkout.root / "requirements.lock").open("a") as file:
        file.write("# another\n")
    assert lists(checkout.nox("setup")[2])[0] == HASHED


def test_what_pip_refuses_is_told_and_taken_up_again(checkout: Checkout) -> None:
    checkout.has("3.11", torch_version())
    fails = Path(f"{checkout.log}.fails")
    fails.touch()
    status, said, asked = checkout.nox("setup")
    assert (status, len(asked)) == (2, 1)
    assert said.splitlines()[-1] == (
        "error: pip could not install requirements.lock: see the lines above, mend it and run ./nox again"
    )
    fails.unlink()
    assert checkout.nox("setup")[0] == 0


def test_a_python_that_is_too_old_is_refused(checkout: Checkout) -> None:
    checkout.has("3.10", torch_version())
    status, said, asked = checkout.nox("setup")
    assert (status, asked) == (2, [])
    assert said.startswith("error: PYTHON=")
    assert "3.11 3.12 3.13" in said
