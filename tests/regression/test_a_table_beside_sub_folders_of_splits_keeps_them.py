# SPDX-License-Identifier: Apache-2.0
"""Beside a table without a column for the split, sub-folders train, val and test were passed over, so that test samples
were trained on; without a column for the class, "train" became one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.pipeline.data.own import DataSection
from dimmer.pipeline.data.prepare import prepared
from dimmer.pipeline.data.readers.listing import listed
from dimmer.pipeline.data.readers.sample import Problem
from tests.own_data import cache, own, write_images

__all__ = ["cache"]
SPLITS = ("train", "val", "test")


def write(folder: Path, columns: str) -> None:
    """Images of two classes in each split, and a table with what each of the columns is of a file."""
    rows = []
    for seed, split in enumerate(SPLITS):
        write_images(folder / split, {"dark": 5, "light": 5}, seed=seed)
        for path in sorted((folder / split).rglob("*.*")):
            known = {"breed": path.parent.name, "who": f"{split}-{path.stem}", "part": "" if split == "val" else "test"}
            rows.append(",".join([path.relative_to(folder).as_posix(), *(known[name] for name in columns.split(","))]))
    (folder / "labels.csv").write_text("\n".join([f"file,{columns}", *rows]))


@pytest.mark.parametrize("label", [("breed",), ()])
def test_sub_folders_say_the_split_where_the_table_does_not(tmp_path: Path, cache: Path, label: tuple[str]) -> None:
    write(tmp_path / "d", "breed,who" if label else "who")
    section = DataSection(
        "images", "d", classes=("dark", "light"), size=(8, 8), table="labels.csv", label=label, group="who"
    )
    found = prepared(own(tmp_path, section)).facts
    assert found.problems == ()
    for split in SPLITS:
        assert {name.partition("/")[0] for name in found.names[split]} == {split}
        assert len(found.names[split]) == 10


def test_what_the_table_says_of_the_split_goes_first(tmp_path: Path) -> None:
    write(tmp_path / "d", "part")
    section = DataSection("images", "d", classes=("dark", "light"), table="labels.csv", split="part")
    problems: list[Problem] = []
    (tmp_path / "d" / "train" / "0.png").write_bytes(b"x")
    with (tmp_path / "d" / "labels.csv").open("a") as file:
        file.write("\ntrain/0.png,test\n")
    found = {(one.name.partition("/")[0], one.split) for one in listed(own(tmp_path, section), {".png"}, problems)}
    assert found == {("train", "test"), ("val", "val"), ("test", "test")}
    assert list(map(str, problems)) == ["train/0.png: lies in no sub-folder, which would be its class"]
