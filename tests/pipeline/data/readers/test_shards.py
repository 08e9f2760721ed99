# SPDX-License-Identifier: Apache-2.0
"""Tar archives of images and their classes."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.data.own import DataSection
from dimmer.pipeline.data.readers.sample import Problem
from dimmer.pipeline.data.readers.shards import encoded, files, samples, split_of_shard
from tests.own_data import own, png_of, write_shard

SECTION = DataSection("shards", "tars", classes=("dark", "light"), size=(8, 8), colour="grey")


def test_files_of_one_name_are_a_sample(tmp_path: Path) -> None:
    tars = tmp_path / "tars"
    images = {f"a/{number}.png": png_of(number * 20, 9) for number in range(3)}
    labels = {"a/0.cls": b"0\n", "a/1.cls": b"light", "a/1.json": b"{}", "b/9.txt": b"alone"}
    write_shard(tars / "set-train-00.tar", {**images, **labels})
    problems: list[Problem] = []
    found = list(samples(own(tmp_path, SECTION), problems))
    assert [(sample.labels, sample.split) for sample in found] == [(("dark",), "train"), (("light",), "train")]
    assert [int(sample.array.mean()) for sample in found] == [0, 20]
    assert [str(problem) for problem in problems] == [
        "set-train-00.tar: a/2.png: has no .cls beside it, which would be its class"
    ]
    entry = next(encoded(own(tmp_path, SECTION), []))
    assert entry.read() == images["a/0.png"]
    assert entry.path.read_bytes()[entry.offset :].startswith(b"\x89PNG")


def test_what_is_no_archive_or_no_image_is_named_and_the_others_come(tmp_path: Path) -> None:
    tars = tmp_path / "tars"
    write_shard(tars / "0.tar", {"1.png": png_of(7), "1.cls": b"0", "2.png": b"broken", "2.cls": b"1", "3.png": b""})
    whole = (tars / "0.tar").read_bytes()
    (tars / "1.tar").write_bytes(b"no archive")
    with tarfile.open(tars / "2.tar", "w:gz") as archive:
        archive.add(tars / "0.tar", "0.tar")
    (tars / "3.tar").write_bytes(whole[: len(whole) // 8])
    problems: list[Problem] = []
    found = list(samples(own(tmp_path, SECTION), problems))
    assert [sample.name for sample in found][:1] == ["0.tar: 1.png"]
    named = {problem.name: problem.reason for problem in problems}
    assert named["0.tar: 2.png"].startswith("cannot be decoded")
    for name in ("1.tar", "2.tar"):
        assert named[name].startswith("is no whole tar archive without compression")
    assert named["0.tar: 3.png"] == "has no .cls beside it, which would be its class"
    (tmp_path / "empty").mkdir()
    with pytest.raises(DimmerError, match=r"has no file that ends in \.tar"):
        files(own(tmp_path, DataSection("shards", "empty", classes=("a", "b"))))


@pytest.mark.parametrize(
    ("path", "split"),
    [("val/00.tar", "val"), ("x-test.1.tar", "test"), ("training_3.tar", "train"), ("trainer.tar", "")],
)
def test_the_split_is_a_folder_or_a_word_of_the_name(path: str, split: str) -> None:
    assert split_of_shard(Path(path)) == split


def test_an_archive_that_names_no_split_is_left_out_where_others_name_theirs(tmp_path: Path) -> None:
    for name in ("train-0", "val-0", "holdout-0"):
        write_shard(tmp_path / "tars" / f"{name}.tar", {"1.png": png_of(7), "1.cls": b"0"})
    problems: list[Problem] = []
    assert [sample.split for sample in samples(own(tmp_path, SECTION), problems)] == ["train", "val"]
    (problem,) = map(str, problems)
    assert problem.startswith("holdout-0.tar: names no split (train, val, test), as other archives do")


def test_numbers_name_the_classes(tmp_path: Path) -> None:
    section = DataSection("shards", "tars", numbered=12, size=(8, 8))
    assert section.classes[11] == "11"
    write_shard(tmp_path / "tars" / "0.tar", {"1.png": png_of(7), "1.cls": b"11", "2.png": png_of(8), "2.cls": b"12"})
    found = list(samples(own(tmp_path, section), []))
    assert [sample.labels for sample in found] == [("11",), ("12",)], "the second is refused as no class"
    assert np.all(found[0].array == 7)


def test_the_image_is_the_file_with_one_ending(tmp_path: Path) -> None:
    """A mask beside it is left alone; a digit that is no number is no class."""
    section = DataSection("shards", "tars", numbered=3, size=(8, 8))
    members = {"1.png": png_of(7), "1.seg.png": png_of(9), "1.cls": b"2", "2.png": png_of(8), "2.cls": "²".encode()}
    write_shard(tmp_path / "tars" / "0.tar", members)
    found = list(samples(own(tmp_path, section), []))
    assert [sample.labels for sample in found] == [("2",), ("²",)]
    assert np.all(found[0].array == 7)
