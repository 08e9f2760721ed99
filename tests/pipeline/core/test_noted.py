# SPDX-License-Identifier: Apache-2.0
"""What a command has written is removed, and nothing else."""

from __future__ import annotations

from pathlib import Path

from dimmer.pipeline.core.noted import NOTE, note, noted_folders, remove_noted


def written(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("ten bytes!")
    return [folder / name for name in names]


def test_all_that_is_noted_goes_with_its_folders(tmp_path: Path) -> None:
    folder = tmp_path / "lamp"
    note(folder, written(folder, "a", "deep/er/b"))
    note(folder, written(folder, "a", "c"))
    assert noted_folders(tmp_path) == [folder]
    assert remove_noted(folder, dry_run=True) == 30
    assert remove_noted(folder) == 30
    assert list(tmp_path.iterdir()) == []


def test_what_is_a_person_s_stays(tmp_path: Path) -> None:
    note(tmp_path, written(tmp_path, "a", "deep/b", "gone", "linked"))
    written(tmp_path, "mine", "deep/mine")
    (tmp_path / "a").write_text("edited")
    (tmp_path / "gone").unlink()
    (tmp_path / "linked").unlink()
    (tmp_path / "linked").symlink_to(tmp_path / "mine")
    assert remove_noted(tmp_path) == 10
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")} == {
        *("a", "deep", "deep/mine", "linked", "mine")
    }


def test_a_damaged_note_tells_of_nothing(tmp_path: Path) -> None:
    for text in ("{", "[]"):
        (tmp_path / "lamp").mkdir(exist_ok=True)
        (tmp_path / "lamp" / NOTE).write_text(text)
        (file,) = written(tmp_path / "lamp", "a")
        assert remove_noted(tmp_path / "lamp") == 0
        assert file.is_file()
