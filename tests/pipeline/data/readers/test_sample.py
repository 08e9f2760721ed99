# SPDX-License-Identifier: Apache-2.0
"""Which files are there, in which order, and what is no file is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.data.readers.sample import Problem, files_below, others_below, regular, split_of


def test_files_are_found_sorted_whatever_their_case_and_hidden_ones_are_not(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/10.PNG", "a.png", ".git/x.png", "b/.x.png", "b/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.relative_to(tmp_path).as_posix() for path in files_below(tmp_path, {".png"})] == [
        "a.png",
        "b/10.PNG",
        "b/2.png",
    ]


def test_files_of_other_formats_are_named(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/3.webp", "b/notes", "labels.csv", ".git/x.webp", "b/.x.webp"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    os.mkfifo(tmp_path / "pipe.tif")
    assert list(map(str, others_below(tmp_path, {".png", ".jpg"}, tmp_path / "labels.csv"))) == [
        "b/3.webp: ends in none of .jpg, .png",
        "b/notes: ends in none of .jpg, .png",
    ]


def test_links_to_folders_are_followed_and_no_circle_is(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "1.png").touch()
    (tmp_path / "data" / "cat").symlink_to(tmp_path / "else")
    (tmp_path / "data" / "loop").symlink_to(tmp_path / "data")
    assert [path.name for path in files_below(tmp_path / "data", {".png"})] == ["1.png"]


def test_what_is_no_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match=r"nowhere is no folder: correct \[data\] path$"):
        files_below(tmp_path / "nowhere", {".png"})


def test_folders_links_pipes_and_empty_files_are_named_and_never_opened(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "link.png").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "empty.png").touch()
    (tmp_path / "good.png").write_bytes(b"x")
    problems: list[Problem] = []
    paths = sorted(tmp_path.iterdir())
    assert [path.name for path in regular(paths, tmp_path, problems)] == ["good.png"]
    assert {problem.name for problem in problems} == {"folder.png", "link.png", "pipe.png", "empty.png"}


@pytest.mark.parametrize(("word", "split"), [("Train", "train"), ("dev", "val"), (" TESTING ", "test"), ("", None)])
def test_words_for_splits(word: str, split: str | None) -> None:
    assert split_of(word) == split


def test_of_a_model_s_data_that_is_missing_its_page_is_named(tmp_path: Path) -> None:
    for name in ("recipe.toml", "README.md"):
        (tmp_path / name).write_text("x")
    with pytest.raises(DimmerError, match=rf"{tmp_path}/README\.md tells of the model's data$"):
        files_below(tmp_path / "data" / "sounds", {".wav"})
