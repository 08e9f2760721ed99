# SPDX-License-Identifier: Apache-2.0
"""A project is written whole, or nothing of it; nothing that is there is touched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.projects import write
from dimmer.pipeline.projects.write import ignores_builds, write_project

FILES = {
    PurePosixPath("a/b/one.toml"): "1",
    PurePosixPath(".gitignore"): "/build/\n",
    PurePosixPath("two.toml"): "2",
}


def everything(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() if p.is_file() else "" for p in folder.rglob("*")}


def test_all_files_are_written_in_their_order(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "door"
    assert write_project(folder, FILES) == [folder / name for name in FILES]
    assert {name: (folder / name).read_text() for name in FILES} == FILES
    assert write_project(folder, FILES) == [], "what is so already counts as written"


@pytest.mark.parametrize("name", ["a/b/one.toml", "two.toml", "a", "a/b"])
def test_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine")
    before = everything(tmp_path)
    with pytest.raises(DimmerError, match=f"^{tmp_path}/{name} is there already.*nothing is written") as caught:
        write_project(tmp_path, FILES)
    assert everything(tmp_path) == before
    assert "\n" not in str(caught.value)


def test_a_link_and_a_folder_are_there_too(tmp_path: Path) -> None:
    (tmp_path / "two.toml").symlink_to(tmp_path / "nowhere")
    with pytest.raises(DimmerError, match="is there already"):
        write_project(tmp_path, FILES)
    assert not (tmp_path / "a").exists()
    (tmp_path / "two.toml").unlink()
    (tmp_path / "two.toml").mkdir()
    with pytest.raises(DimmerError, match="is there already"):
        write_project(tmp_path, FILES)


def test_a_gitignore_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.o\n")
    assert tmp_path / ".gitignore" not in write_project(tmp_path, FILES)
    assert (tmp_path / ".gitignore").read_text() == "*.o\n"
    assert not ignores_builds(tmp_path)
    (tmp_path / ".gitignore").write_text("*.o\nbuild/\n")
    assert ignores_builds(tmp_path)
    assert not ignores_builds(tmp_path / "nowhere")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
@pytest.mark.parametrize("after", range(len(FILES)))
def test_what_is_interrupted_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, after: int
) -> None:
    (tmp_path / "mine").write_text("kept")
    (tmp_path / "a").mkdir()
    before = everything(tmp_path)
    left: Iterator[int] = iter(range(after))

    def fails(path: Path, text: str) -> bool:
        if next(left, None) is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            raise error
        return atomic_write(path, text)

    monkeypatch.setattr(write, "atomic_write", fails)
    with pytest.raises((KeyboardInterrupt, DimmerError)) as caught:
        write_project(tmp_path, FILES)
    assert everything(tmp_path) == before
    if isinstance(error, OSError):
        assert str(caught.value) == f"{tmp_path} cannot be written: No space left on device; name another folder"


@pytest.mark.parametrize("after", range(len(FILES) + 1))
def test_what_a_killed_run_left_is_completed(tmp_path: Path, after: int) -> None:
    write_project(tmp_path, dict(list(FILES.items())[:after]))
    assert write_project(tmp_path, FILES) == [tmp_path / name for name in list(FILES)[after:]]
    assert {name: (tmp_path / name).read_text() for name in FILES} == FILES


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(DimmerError, match="cannot be written: Permission denied"):
        write_project(tmp_path / "door", FILES)
    tmp_path.chmod(0o700)
