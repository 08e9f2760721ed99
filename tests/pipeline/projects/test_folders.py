# SPDX-License-Identifier: Apache-2.0
"""Sub-folders that are classes, and those that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.data.own import DataSection
from dimmer.pipeline.projects.folders import sub_folders, without_class


def files(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return [folder / name for name in names if name.endswith(".png")]


def test_classes_lie_below_splits(tmp_path: Path) -> None:
    found = files(tmp_path, "train/a/1.png", "train/b/1.png", "test/a/1.png", "2.png")
    assert sub_folders(tmp_path, found) == ("a", "b")
    assert sub_folders(tmp_path, [*found, *files(tmp_path, "c/1.png")]) == ("c", "test", "train")
    with pytest.raises(DimmerError, match=r"give each class a sub-folder$"):
        sub_folders(tmp_path, found[-1:])
    with pytest.raises(DimmerError, match=r"give each class a sub-folder, or pray$"):
        sub_folders(tmp_path, found[-1:], "pray")


def test_sub_folders_without_a_class_are_named(tmp_path: Path) -> None:
    section = DataSection("images", "d", classes=("a", "b"))
    files(tmp_path, "a/1.png", "b/1.png", ".git/x")
    assert without_class(tmp_path, section) == []
    files(tmp_path, "ash/1.webp", "train/a/1.png", "train/elm/1.tif")
    (tmp_path / "empty").mkdir()
    assert without_class(tmp_path, section) == ["no class, as no file in them is read: ash, empty, train/elm"]
    for number in range(5):
        (tmp_path / f"f{number}").mkdir()
    assert without_class(tmp_path, section)[0].endswith(": ash, empty, f0, f1, f2 and 3 more")
