# SPDX-License-Identifier: Apache-2.0
"""What stages have made is found, and removed so that none is seen half removed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core.contents import content_hash
from dimmer.pipeline.core.made import begun_of, made_folders, made_of, refuse_to_replace, remove, size_of
from dimmer.pipeline.core.partial import stage_of
from dimmer.pipeline.core.stage import MANIFEST, Stage


@pytest.fixture
def made(tmp_path: Path) -> Stage:
    def action(out: Path) -> None:
        (out / "result").write_text("ten bytes!")

    stage = Stage("shine", tmp_path / "shine", action)
    stage.run()
    return stage


def test_found_by_manifest_lock_or_key(made: Stage, tmp_path: Path) -> None:
    for name in (".shine.partial", ".shine.old", ".mine.partial", "mine", ".rise.partial"):
        (tmp_path / name).mkdir()
    (tmp_path / "mine" / MANIFEST).write_text("{}")
    (tmp_path / ".rise.partial" / ".dimmer-key").write_text("{}")
    names = [path.name for path in made_folders(tmp_path)]
    assert names == [".rise.partial", ".shine.old", ".shine.partial", "shine"]


def test_a_damaged_manifest_is_a_stage_s(made: Stage, tmp_path: Path) -> None:
    (made.folder / MANIFEST).write_text('{"key"')
    assert made_folders(tmp_path) == [made.folder]


def test_what_a_command_removes_meanwhile_counts_for_nothing(
    made: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = size_of(made.folder)
    assert before == sum(path.stat().st_size for path in made.folder.iterdir())
    (made.folder / "temporary").write_text("gone")
    (tmp_path / "going").mkdir()
    real = os.scandir

    def scanned(place: Any = ".") -> Iterator[os.DirEntry[str]]:
        if Path(place).name == "going":
            (tmp_path / "going").rmdir()
        found = real(place)
        (made.folder / "temporary").unlink(missing_ok=True)
        return found

    monkeypatch.setattr(os, "scandir", scanned)
    assert made_folders(tmp_path) == [made.folder]
    (made.folder / "temporary").write_text("gone")
    assert size_of(made.folder) == before


@pytest.mark.parametrize("name", ["shine", ".shine.partial", ".shine.old", ".shine.0123456789ab.aside"])
def test_removed(made: Stage, name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    assert stage_of(folder) == "shine"
    assert remove(folder, dry_run=True)
    assert folder.is_dir()
    assert remove(folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted({".shine.lock", "shine"} - {name})


def test_a_removal_that_is_killed_does_not_stop_the_next_build(made: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(folder: Path, **_: object) -> None:
        if folder.is_dir():
            (folder / MANIFEST).unlink()
            raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        remove(made.folder)
    monkeypatch.undo()
    assert not made.run().cached


def test_what_a_folder_was_made_of(made: Stage, tmp_path: Path) -> None:
    (tmp_path / "oil").write_text("a drop")
    assert made_of(tmp_path) is None
    replace(made, settings={"bright": [1, 2]}, given=[tmp_path / "oil"]).run()
    found = made_of(made.folder)
    assert found is not None
    assert (found.inputs, found.settings) == ((content_hash(tmp_path / "oil"),), {"bright": [1, 2]})
    (made.folder / MANIFEST).write_text('{"key": 1}')
    assert made_of(made.folder) is None


def test_options_replace_no_other_result_nor_one_that_is_begun(made: Stage) -> None:
    refuse_to_replace(made, "--seed")
    other = replace(made, settings={"seed": (2, 3)})
    with pytest.raises(
        DimmerError, match=r"shine has a training of other settings, which --seed would replace: name an"
    ):
        refuse_to_replace(other, "--seed")

    def killed(out: Path) -> None:
        (out / "epoch1").touch()
        raise KeyboardInterrupt

    begun = replace(other, folder=made.folder.with_name("rise"), action=killed, keep_partial=True)
    with pytest.raises(KeyboardInterrupt):
        begun.run()
    refuse_to_replace(begun, "--seed")
    assert begun_of(begun.folder) is not None
    with pytest.raises(DimmerError, match=r"rise is begun with a training of other settings"):
        refuse_to_replace(replace(begun, settings={}), "--seed")
