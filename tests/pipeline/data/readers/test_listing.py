# SPDX-License-Identifier: Apache-2.0
"""What folders and tables say of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.data.own import DataSection
from dimmer.pipeline.data.readers.listing import listed, listed_files
from dimmer.pipeline.data.readers.sample import Problem
from tests.own_data import own

ENDINGS = frozenset({".png"})


def files(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def found(folder: Path, section: DataSection) -> tuple[list[tuple[str, ...]], list[str]]:
    problems: list[Problem] = []
    rows = [(e.name, *e.labels, e.group, e.split) for e in listed(own(folder, section), ENDINGS, problems)]
    return rows, [str(problem) for problem in problems]


def section(label: str = "", group: str = "", split: str = "", table: str = "") -> DataSection:
    labels = (label,) if label else ()
    return DataSection("images", "d", classes=("cat", "test"), label=labels, group=group, split=split, table=table)


def test_sub_folders_are_classes_and_splits(tmp_path: Path) -> None:
    files(tmp_path / "d", "cat/1.png", "train/cat/tom_2.png", "val/cat/3.png", "test/x/4.png", "5.png", "dog/6.png")
    rows, problems = found(tmp_path, section(group="([a-z]+)_"))
    assert rows == [
        ("cat/1.png", "cat", "", ""),
        # A class may be called as a split is.
        ("test/x/4.png", "test", "", ""),
        ("train/cat/tom_2.png", "cat", "tom", "train"),
        ("val/cat/3.png", "cat", "", "val"),
    ]
    assert problems == [
        "5.png: lies in no sub-folder, which would be its class",
        "dog/6.png: its sub-folder dog is not in [data] classes",
    ]


def test_a_table_says_it_of_each_file(tmp_path: Path) -> None:
    files(tmp_path / "d", "1.png", "sub/2.png", "3.png")
    table = tmp_path / "d" / "labels.csv"
    table.write_text(
        "file,who,breed,part,more\n1.png,anna,cat,train,x\n./sub/2.png,bob,test,,y,\ngone.png,bob,cat,,z\n"
        "other.webp,bob,cat,,z\n"
    )
    # It is there, and is named as one of another format elsewhere.
    (tmp_path / "d" / "other.webp").touch()
    of_table = section(table="labels.csv", label="breed", group="who", split="part")
    rows, problems = found(tmp_path, of_table)
    assert rows == [("1.png", "cat", "anna", "train"), ("sub/2.png", "test", "bob", "")]
    assert problems == ["3.png: is not in labels.csv", "gone.png: is in labels.csv, and is no file here"]
    assert table in listed_files(own(tmp_path, of_table), ENDINGS)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read"),
        (b"", "no column 'file'"),
        (b"file,who\n1.png,anna\n", "no column 'breed'"),
        (b"file,breed\n1.png\n", "line 2 has too few columns"),
        (b"file,breed\n1.png,cat\n1.png,test\n", "line 3 names '1.png' again"),
        (b"file,breed\n1.png,tom, cat\n", "line 2 has 3 cells, the first line names 2"),
        (b"file,breed\n\xff\xfe,\x00\n", "cannot be read"),
    ],
)
def test_a_table_that_is_broken_is_told(tmp_path: Path, content: bytes | None, says: str) -> None:
    files(tmp_path / "d", "1.png")
    if content is not None:
        (tmp_path / "d" / "labels.csv").write_bytes(content)
    with pytest.raises(DimmerError, match=says) as caught:
        found(tmp_path, section(table="labels.csv", label="breed"))
    assert "\n" not in str(caught.value)


def test_an_unknown_split_is_told(tmp_path: Path) -> None:
    files(tmp_path / "d", "1.png")
    (tmp_path / "d" / "t.csv").write_text("file,breed,part\n1.png,cat,holdout\n")
    with pytest.raises(DimmerError, match=r"1\.png: the split 'holdout' is none of train, val and test"):
        found(tmp_path, section(table="t.csv", label="breed", split="part"))


def test_a_folder_without_files_is_told(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    with pytest.raises(DimmerError, match=r"has no file that ends in \.png"):
        listed_files(own(tmp_path, section()), ENDINGS)
