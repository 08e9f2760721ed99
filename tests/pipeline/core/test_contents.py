# SPDX-License-Identifier: Apache-2.0
"""A folder's hash is that of everything in it that is read."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from dimmer.pipeline.core.contents import MANIFEST, content_hash
from dimmer.pipeline.data.readers.sample import files_below


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("cats/a.png", "cats-2/b.png", "dogs/c.png", "z.png"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_text(name)
    return tmp_path / "data"


def test_names_and_contents_in_their_order(folder: Path) -> None:
    digest = hashlib.sha256()
    for name in ("cats/a.png", "cats-2/b.png", "dogs/c.png", "z.png"):
        digest.update(f"{name}\0{hashlib.sha256(name.encode()).hexdigest()}\n".encode())
    before = content_hash(folder)
    assert before == digest.hexdigest()
    (folder / "z.png").rename(folder / "y.png")
    assert content_hash(folder) != before


def test_what_nobody_reads_counts_for_nothing(folder: Path) -> None:
    before = content_hash(folder)
    for name in (MANIFEST, ".hidden", "cats/.hidden", ".git/head", "cats/__pycache__/a.pyc"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("?")
    (folder / "leads-nowhere").symlink_to(folder / "none")
    assert content_hash(folder) == before
    (folder / "cats" / MANIFEST).write_text("?")
    assert content_hash(folder) != before


def test_what_lies_behind_a_link_is_read_and_counts(folder: Path, tmp_path: Path) -> None:
    """Samples of a linked folder were exchanged, and the old quantisation was taken."""
    other = tmp_path / "elsewhere" / "deep"
    other.mkdir(parents=True)
    (other / "d.png").write_text("one")
    (folder / "birds").symlink_to(other.parent)
    assert folder / "birds" / "deep" / "d.png" in files_below(folder, [".png"])
    before = content_hash(folder)
    (other / "d.png").write_text("two")
    changed = content_hash(folder)
    assert changed != before
    (other / "round").symlink_to(folder)
    assert content_hash(folder) == changed
