# SPDX-License-Identifier: Apache-2.0
"""Everything that is wrong with a bundle is named, before it leaves for a board."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.bundle import MANIFEST, NEEDED
from dimmer.pipeline.inspection.bundles import inspect_bundle, is_bundle
from dimmer.targets.runners.ssh import SIGNATURE, SUMS, sign
from tests.pipeline.inspection.whole import seal, whole_bundle


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return whole_bundle(tmp_path / "lamp")


def test_a_whole_bundle_is_whole(bundle: Path) -> None:
    assert is_bundle(bundle)
    found = inspect_bundle(bundle)
    facts = dict(found.facts)
    assert (found.problems, facts["modes"], facts["files"]) == ((), "88, 80", "14")
    assert facts["signed"] == "no"


def linked(folder: Path) -> None:
    (folder / "weights.bin").unlink()
    (folder / "weights.bin").symlink_to("/etc/passwd")


def written(name: str, content: bytes) -> Callable[[Path], object]:
    """A file with another content, and a list that has it."""

    def damage(folder: Path) -> None:
        (folder / name).write_bytes(content)
        seal(folder)

    return damage


def replaced(old: str, new: str) -> Callable[[Path], object]:
    """A manifest with another text, and a list that has it."""
    return lambda folder: written(MANIFEST, (folder / MANIFEST).read_text().replace(old, new).encode())(folder)


def gone(name: str) -> Callable[[Path], object]:
    """A bundle that was made without a file."""

    def damage(folder: Path) -> None:
        (folder / name).unlink()
        seal(folder)

    return damage


def append(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).open("a").write(text)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a file differs": (append("weights.bin", "x"), "weights.bin is damaged"),
    "a file is gone": (lambda folder: (folder / "weights.bin").unlink(), "weights.bin is missing"),
    "a file more": (append("more", "x"), "more is not in SHA256SUMS"),
    "a link": (lambda folder: (folder / "link").symlink_to("/etc/passwd"), "link is no plain file"),
    "a link to a folder": (lambda folder: (folder / "link").symlink_to("/etc"), "link is no plain file"),
    "a link for a file": (linked, "weights.bin is no plain file"),
    "a broken line": (append(SUMS, "lamp\n"), "SHA256SUMS, line 14"),
    "a line twice": (append(SUMS, f"{'0' * 64}  weights.bin\n"), "SHA256SUMS, line 14"),
    "a way out": (append(SUMS, f"{'0' * 64}  ../weights.bin\n"), "SHA256SUMS, line 14"),
    "no list": (lambda folder: (folder / SUMS).unlink(), "SHA256SUMS cannot be read"),
    "another manifest": (written("weights.bin", b"other"), "manifest.json has another weights.bin"),
    "another machine": (
        written("manifest.json", b'{"architecture": "lamp", "files": []}'),
        f"bin/dimmer-run is for {platform.machine()}, the bundle for lamp",
    ),
    "a cut program": (written("bin/dimmer-run", b"\x7fELF\x02"), "bin/dimmer-run is for no machine: it is damaged"),
    "a version that is a way": (replaced('"1"', '"../1"'), "has a version that install.sh refuses"),
    "no version": (replaced('"1"', '""'), "has a version that install.sh refuses"),
    "a model with a space": (replaced('"lamp"', '"a lamp"'), "has a model that install.sh refuses"),
    "a manifest in a line": (replaced("\n", ""), "has no line of its own with a text for model"),
    "a number for a version": (replaced('"1"', "1"), "has no line of its own with a text for version"),
    "no modes": (replaced('"modes"', '"modes of before"'), "manifest.json has no modes"),
    **{f"no {name}": (gone(name), f"{name} is not there, and no bundle runs without it") for name in NEEDED},
    "no answers": (gone("selftest/80.i8"), "selftest/80.i8 is not there"),
    "a program that is none": (
        lambda folder: (folder / "bin/dimmer-check").chmod(0o644),
        "bin/dimmer-check cannot be executed",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_is_wrong_is_named(bundle: Path, name: str) -> None:
    damage, says = DAMAGES[name]
    damage(bundle)
    problems = inspect_bundle(bundle).problems
    assert any(says in problem for problem in problems), problems
    assert not any("\n" in problem for problem in problems)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "\xff"])
def test_what_is_no_bundle_is_one_line(bundle: Path, text: str) -> None:
    (bundle / "manifest.json").write_text(text)
    with pytest.raises(DimmerError, match="is no bundle"):
        inspect_bundle(bundle)
    assert not is_bundle(bundle.parent)


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs openssh-client")
def test_signatures(bundle: Path, tmp_path: Path) -> None:
    for name in ("maker", "thief"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
    signers = tmp_path / "allowed signers"
    signers.write_text(f"dimmer {(tmp_path / 'maker.pub').read_text()}")
    assert "it is not signed" in inspect_bundle(bundle, signers).problems[0]
    shutil.copy(sign(bundle, tmp_path / "thief", tmp_path), bundle / SIGNATURE)
    assert dict(inspect_bundle(bundle).facts)["signed"].startswith("yes; by whom was not checked")
    assert "nobody whom" in inspect_bundle(bundle, signers).problems[0]
    (tmp_path / SIGNATURE).unlink()
    shutil.copy(sign(bundle, tmp_path / "maker", tmp_path), bundle / SIGNATURE)
    found = inspect_bundle(bundle, signers)
    assert (found.problems, dict(found.facts)["signed"]) == ((), f"by one whom {signers} names")
    with pytest.raises(DimmerError, match="is no file"):
        inspect_bundle(bundle, tmp_path / "nobody")
