# SPDX-License-Identifier: Apache-2.0
"""Packages on the disk: the same bytes every time, replaced whole, nothing else touched."""

from __future__ import annotations

import io
import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.bundles.packaging.formats import FORMATS
from dimmer.pipeline.bundles.packaging.package import Package
from dimmer.pipeline.bundles.packaging.write import RECORD, write_package, zip_bytes

FORM = FORMATS["cmake"]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_bytes_twice(blocks: Package, tmp_path: Path) -> None:
    first, second = (write_package(blocks, FORM, tmp_path / name) for name in "ab")
    assert contents(first.folder) == contents(second.folder)
    assert first.archive.read_bytes() == second.archive.read_bytes()
    assert first.archive.name == f"dimmer_blocks-{blocks.version}.zip"
    with zipfile.ZipFile(first.archive) as packed:
        own = {name.removeprefix("dimmer_blocks/"): packed.read(name) for name in packed.namelist()}
    assert own == contents(first.folder)


def test_a_pack_has_no_folder(blocks: Package, tmp_path: Path) -> None:
    written = write_package(blocks, FORMATS["cmsis-pack"], tmp_path)
    assert "Dimmer.dimmer_blocks.pdsc" in zipfile.ZipFile(written.archive).namelist()


def test_a_package_is_replaced_whole(blocks: Package, tmp_path: Path) -> None:
    folder = write_package(blocks, FORMATS["zephyr"], tmp_path).folder
    write_package(blocks, FORM, tmp_path)
    assert not (folder / "zephyr").exists()
    assert (folder / "CMakeLists.txt").is_file()
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["dimmer_blocks"]


@pytest.mark.parametrize("stopped", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_replacement_that_fails_leaves_the_package_of_before(
    blocks: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped: BaseException
) -> None:
    folder = write_package(blocks, FORM, tmp_path).folder
    before, rename = contents(tmp_path), Path.rename

    def fails(self: Path, target: Path) -> Path:
        if target == folder and not self.name.endswith(".old"):
            raise stopped
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises((DimmerError, KeyboardInterrupt)):
        write_package(blocks, FORMATS["zephyr"], tmp_path)
    assert contents(tmp_path) == before


def test_the_record(blocks: Package, tmp_path: Path) -> None:
    record = json.loads((write_package(blocks, FORM, tmp_path).folder / RECORD).read_text())
    assert (record["version"], record["runtime"]) == (blocks.version, blocks.runtime_hash)
    assert [core["core"] for core in record["cores"]] == [kind.core for kind in blocks.kinds]


def test_what_is_no_package_stays(blocks: Package, tmp_path: Path) -> None:
    (tmp_path / "dimmer_blocks").mkdir()
    (tmp_path / "dimmer_blocks" / "mine").write_text("work")
    with pytest.raises(DimmerError, match="is no package of Dimmer's: remove it, or name another with --out"):
        write_package(blocks, FORM, tmp_path)
    assert contents(tmp_path) == {"dimmer_blocks/mine": b"work"}


def test_a_link_is_not_followed(blocks: Package, tmp_path: Path) -> None:
    elsewhere = write_package(blocks, FORM, tmp_path / "a").folder
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "dimmer_blocks").symlink_to(elsewhere)
    with pytest.raises(DimmerError, match="is no package"):
        write_package(blocks, FORM, tmp_path / "b")


def test_a_file_in_place_of_the_folder(blocks: Package, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(DimmerError, match=r"out: Not a directory: name another folder with --out"):
        write_package(blocks, FORM, tmp_path / "out")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(blocks: Package, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(DimmerError, match="Permission denied"):
        write_package(blocks, FORM, tmp_path)
    tmp_path.chmod(0o700)


def test_a_zip_knows_no_time(blocks: Package) -> None:
    packed = zip_bytes({"b": "2", "a": "1"}, "top")
    assert packed == zip_bytes({"a": "1", "b": "2"}, "top")
    entries = zipfile.ZipFile(io.BytesIO(packed)).infolist()
    assert [entry.filename for entry in entries] == ["top/a", "top/b"]
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert replace(blocks).version == blocks.version


@pytest.mark.parametrize("name", ["my_board.c", "CMakeLists.txt", "mine/main.c", "link.c", RECORD])
def test_what_somebody_put_there_or_edited_stays(blocks: Package, tmp_path: Path, name: str) -> None:
    folder = write_package(blocks, FORM, tmp_path).folder
    (folder / name).parent.mkdir(exist_ok=True)
    if name == "link.c":
        (folder / name).symlink_to(folder / RECORD)
    else:
        (folder / name).write_text("{}" if name == RECORD else "work")
    before = contents(folder)
    if name == RECORD:
        # Of a version that listed no files: nothing can be told.
        write_package(blocks, FORM, tmp_path)
        return
    with pytest.raises(DimmerError, match=r"was put there or edited by somebody, .*: move it away, or name another"):
        write_package(blocks, FORM, tmp_path)
    assert contents(folder) == before


def test_a_package_that_a_killed_run_put_aside_comes_back(blocks: Package, tmp_path: Path) -> None:
    folder = write_package(blocks, FORM, tmp_path).folder
    (folder / "my_board.c").write_text("work")
    folder.rename(tmp_path / ".dimmer_blocks.4711.old")
    with pytest.raises(DimmerError, match=r"my_board\.c was put there or edited by somebody"):
        write_package(blocks, FORM, tmp_path)
    assert (folder / "my_board.c").read_text() == "work"
