# SPDX-License-Identifier: Apache-2.0
"""requirements.lock: what is pinned, with the sha256 of its wheels, and what makes it."""

from __future__ import annotations

import doctest
import json
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement

from tests.pins import pins
from tools import lock
from tools.lock import (
    CPU_LOCK,
    CUDA_LOCK,
    LOCK,
    PLATFORMS,
    ROOT,
    TORCH,
    LockError,
    lock_text,
    normalised,
    read_lock,
    read_pins,
)

HASHES = {"lamp": frozenset(["a" * 64, "b" * 64]), "torch": frozenset(["c" * 64])}


def test_the_lock_is_of_the_pins() -> None:
    """After a change of requirements: ./nox -s lock."""
    wanted = {normalised(name): version for name, version in pins().items()}
    entries = {**read_lock((ROOT / LOCK).read_text()), TORCH: read_lock((ROOT / CUDA_LOCK).read_text())[TORCH]}
    assert {name: version for name, (version, _) in entries.items()} == wanted


def test_what_a_pinned_package_needs_is_pinned() -> None:
    """Pip refuses a list with hashes that leaves anything open. As far as packages are installed here."""
    known = {normalised(name) for name in pins()} | read_lock((ROOT / CUDA_LOCK).read_text()).keys()
    seen, left_open = 0, set()
    for name in known:
        try:
            lines = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        seen += 1
        needs = [Requirement(line) for line in lines]
        left_open |= {
            f"{need.name}, which {name} needs"
            for need in needs
            if (need.marker is None or need.marker.evaluate({"extra": ""})) and normalised(need.name) not in known
        }
    assert seen > 20
    assert not left_open, "pin it in constraints.txt"


def test_the_cpu_build_is_of_the_same_version() -> None:
    (version, digests) = read_lock((ROOT / CPU_LOCK).read_text())[TORCH]
    assert version == f"{pins()[TORCH]}+cpu"
    assert digests


def test_no_package_is_in_both_lists() -> None:
    cuda = read_lock((ROOT / CUDA_LOCK).read_text())
    assert cuda
    assert not cuda.keys() & read_lock((ROOT / LOCK).read_text()).keys()


@pytest.mark.parametrize("name", [LOCK, CPU_LOCK, CUDA_LOCK])
def test_every_line_of_a_lock_is_one_that_pip_reads(name: str) -> None:
    text = (ROOT / name).read_text()
    assert text == "\n".join(text.splitlines()[:2]) + "\n" + "".join(
        f"{package}=={version} \\\n" + " \\\n".join(f"    --hash=sha256:{digest}" for digest in sorted(digests)) + "\n"
        for package, (version, digests) in read_lock(text).items()
    )


def test_what_is_compiled_has_a_wheel_for_every_platform() -> None:
    entries = read_lock((ROOT / LOCK).read_text())
    for name in ("numpy", "matplotlib", "tensorflow"):
        assert len(entries[name][1]) == len(PLATFORMS)
    assert len(read_lock((ROOT / CUDA_LOCK).read_text())[TORCH][1]) == len(PLATFORMS)


def test_pins_are_read() -> None:
    text = "# a lamp\n--constraint c.txt\n-r more.txt\nLa_mp==1.0+cpu  # why\nbulb[dark]==2.1.post3\n"
    assert read_pins([text]) == {"la-mp": "1.0+cpu", "bulb": "2.1.post3"}
    assert read_pins(["lamp>=1\n", "lamp==2\n"]) == {"lamp": "2"}
    with pytest.raises(LockError, match="'lamp>=1' pins no version"):
        read_pins(["lamp>=1\n"])


def test_a_list_is_written_and_read_back() -> None:
    text = lock_text("A title.", {"torch": "2.0", "lamp": "1.0"}, HASHES)
    assert text.splitlines()[2:5] == [
        "lamp==1.0 \\",
        f"    --hash=sha256:{'a' * 64} \\",
        f"    --hash=sha256:{'b' * 64}",
    ]
    assert read_lock(text) == {"lamp": ("1.0", HASHES["lamp"]), "torch": ("2.0", HASHES["torch"])}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """In place of pip: each wheel's sha256 is the platform's number; a CPU build is there where pip is configured."""
    commands: list[list[str]] = []
    numbers = {platform: number for number, platform in enumerate(PLATFORMS)}

    def run(command: Sequence[str], env: dict[str, str], **_options: object) -> object:
        commands.append(list(command))
        python = command[command.index("--python-version") + 1]
        machine = command[command.index("--platform") + 1].split("_", 3)[3]
        number = numbers[lock.Platform(python, machine)]
        wanted = [word.split("==") for word in command if "==" in word]
        if "--no-deps" not in command:
            wanted.append(["nvidia-lamp", "13"])
        cpu = env.get("PIP_FIND_LINKS") == "wheels" and number == 0
        installs = [
            {
                "metadata": {"name": name, "version": version + ("+cpu" if cpu and name == TORCH else "")},
                "download_info": {"archive_info": {"hashes": {"sha256": f"{90 if cpu else number:064x}"}}},
            }
            for name, version in wanted
        ]
        Path(command[command.index("--report") + 1]).write_text(json.dumps({"install": installs}))
        return SimpleNamespace(returncode=0, stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def test_the_lists_are_made(asked: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "requirements.txt").write_text("torch==2.0\nlamp==1.0\n")
    monkeypatch.setattr(lock, "ROOT", tmp_path)
    monkeypatch.setattr(lock, "SOURCES", [tmp_path / "requirements.txt"])
    monkeypatch.setattr(sys, "argv", ["lock"])
    monkeypatch.setenv("PIP_FIND_LINKS", "wheels")
    every = frozenset(f"{number:064x}" for number in range(len(PLATFORMS)))
    cpu = {TORCH: ("2.0+cpu", frozenset([f"{90:064x}"]))}
    lock.main()
    assert read_lock((tmp_path / LOCK).read_text()) == {"lamp": ("1.0", every)}
    assert read_lock((tmp_path / CUDA_LOCK).read_text()) == {"nvidia-lamp": ("13", every), TORCH: ("2.0", every)}
    assert read_lock((tmp_path / CPU_LOCK).read_text()) == cpu
    # On a machine that sees no CPU build the known ones stay, for as long as they are of this version.
    monkeypatch.delenv("PIP_FIND_LINKS")
    lock.main()
    assert read_lock((tmp_path / CPU_LOCK).read_text()) == cpu
    (tmp_path / "requirements.txt").write_text("torch==2.1\nlamp==1.0\n")
    monkeypatch.setenv("PIP_FIND_LINKS", "wheels")
    lock.main()
    assert read_lock((tmp_path / CPU_LOCK).read_text()) == {TORCH: ("2.1+cpu", frozenset([f"{90:064x}"]))}


def test_only_what_is_new_is_asked_for(asked: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "requirements.txt").write_text("torch==2.0\nlamp==1.0\nwick==1\n")
    monkeypatch.setattr(lock, "ROOT", tmp_path)
    monkeypatch.setattr(lock, "SOURCES", [tmp_path / "requirements.txt"])
    monkeypatch.setattr(sys, "argv", ["lock"])
    lock.main()
    before = {name: (tmp_path / name).read_text() for name in (LOCK, CUDA_LOCK)}
    asked.clear()
    monkeypatch.setattr(sys, "argv", ["lock", "--new"])
    lock.main()
    assert asked == []
    assert {name: (tmp_path / name).read_text() for name in (LOCK, CUDA_LOCK)} == before
    # A package that is new, one of another version, and one that is gone.
    (tmp_path / "requirements.txt").write_text("torch==2.0\nlamp==1.1\noil==3\n")
    lock.main()
    assert {word for command in asked for word in command if "==" in word} == {"lamp==1.1", "oil==3"}
    assert {name: version for name, (version, _) in read_lock((tmp_path / LOCK).read_text()).items()} == {
        "lamp": "1.1",
        "oil": "3",
    }
    assert (tmp_path / CUDA_LOCK).read_text() == before[CUDA_LOCK]


def test_pip_s_refusal_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = SimpleNamespace(returncode=1, stderr="WARNING: old\nERROR: no lamp\nERROR: none at all\n")
    monkeypatch.setattr(subprocess, "run", lambda *_a, **_k: refused)
    with pytest.raises(LockError, match=r"^Python 3\.11\.2 on x86_64: pip finds no such packages \(ERROR: no lamp\)$"):
        lock.wheels({"lamp": "1.0"})


def test_its_examples() -> None:
    found = doctest.testmod(lock)
    assert found.attempted > 0
    assert found.failed == 0
