# SPDX-License-Identifier: Apache-2.0
"""A cache that another user made ended in a traceback, as its time could not be set; and where another process removed
what a killed run had left, data that was made and kept "cannot be written".
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from errno import EACCES
from pathlib import Path
from typing import Any

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.data import prepare
from dimmer.pipeline.data.own import OwnData
from dimmer.pipeline.data.prepare import KEPT, own_hash, prepared
from dimmer.pipeline.data.readers import images, listing
from dimmer.pipeline.data.readers.sample import Problem
from tests.own_data import cache, own, png_of, steps_section, write_images, write_shard, write_steps
from tests.pipeline.data.test_prepare import IMAGES

__all__ = ["cache"]


def refused(*_arguments: object, **_options: object) -> Any:
    raise PermissionError(EACCES, os.strerror(EACCES))


def test_a_time_that_cannot_be_set_stays(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_steps(tmp_path / "imu.csv")
    data = own(tmp_path, steps_section())
    before = prepared(data).dataset.train.images
    monkeypatch.setattr(os, "utime", refused)
    monkeypatch.setattr(prepare, "_make", lambda *_: pytest.fail("it is there"))
    assert (prepared(data).dataset.train.images == before).all()


def test_what_cannot_be_read_nor_replaced_names_the_way_out(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_steps(tmp_path / "imu.csv")
    data = own(tmp_path, steps_section())
    prepared(data)
    # As of a folder that may not be entered.
    monkeypatch.setattr(prepare, "load_document", refused)
    monkeypatch.setattr(prepare, "_make", lambda *_: None)
    real = Path.is_file
    monkeypatch.setattr(Path, "is_file", lambda path: refused() if path.name == prepare.FACTS else real(path))
    with pytest.raises(DimmerError, match=r"cannot be read, or was removed meanwhile: .*, or set DIMMER_CACHE$"):
        prepared(data)


def old(folder: Path, name: str) -> Path:
    path = folder / "data" / name
    path.mkdir(parents=True)
    os.utime(path, (1, 1))
    return path


def test_what_others_remove_meanwhile_is_gone(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_steps(tmp_path / "imu.csv")
    left = [old(cache, f".{name}") for name in "abc"]
    (cache / "data" / ".gone").symlink_to(cache / "nowhere")
    (cache / "data" / "gone").symlink_to(cache / "nowhere")
    real: Callable[..., None] = shutil.rmtree

    def all_of_them(path: Path, **options: Any) -> None:
        for one in {*left, path}:
            real(one, **options)

    monkeypatch.setattr(shutil, "rmtree", all_of_them)
    found = prepared(own(tmp_path, steps_section()))
    assert len(found.dataset.train)
    assert not any(path.exists() for path in left)


def test_old_ones_are_still_forgotten(tmp_path: Path, cache: Path) -> None:
    write_steps(tmp_path / "imu.csv")
    prepared(own(tmp_path, steps_section()))
    latest = {path.name for path in (cache / "data").iterdir()}
    older = [old(cache, name) for name in "abcdefghij"]
    (cache / "data" / ".fresh").mkdir()
    (cache / "data" / ".fresh" / "raw").touch()
    killed = old(cache, ".killed")
    for seed in (1, 2):
        prepared(own(tmp_path, steps_section(seed=seed)))
    assert latest < {path.name for path in (cache / "data").iterdir()}
    assert sum(path.exists() for path in older) == KEPT - 3
    assert not killed.exists()
    assert (cache / "data" / ".fresh" / "raw").exists()


def streamed(folder: Path) -> OwnData:
    members = {f"{n}.png": png_of(n * 20) for n in range(4)} | {f"{n}.cls": str(n % 2).encode() for n in range(4)}
    write_shard(folder / "tars" / "train-0.tar", members)
    return own(folder, replace(IMAGES, kind="shards", path="tars", streamed=True))


@pytest.mark.parametrize("name", ["read_text", "open", "mkdir"])
def test_a_hash_that_cannot_be_kept_is_made_again(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    data = streamed(tmp_path)
    first = own_hash(data)
    real = getattr(Path, name)

    def of_others(path: Path, *arguments: object, **options: object) -> object:
        return refused() if path.is_relative_to(cache) else real(path, *arguments, **options)

    if name != "read_text":
        shutil.rmtree(cache / "data")
    monkeypatch.setattr(Path, name, of_others)
    assert own_hash(data) == first


def test_an_image_that_goes_while_they_are_listed_is_named(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_images(tmp_path / "pictures", {"dark": 6, "light": 6})
    data, real = own(tmp_path, IMAGES), listing.listed

    def going(*arguments: Any) -> Any:
        for entry in real(*arguments):
            if entry.name == "dark/0.png":
                entry.path.unlink()
            yield entry

    monkeypatch.setattr(images, "listed", going)
    problems = prepared(data).facts.problems
    assert problems == (Problem("dark/0.png", "cannot be read (No such file or directory)"),)
