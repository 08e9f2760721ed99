# SPDX-License-Identifier: Apache-2.0
"""A user's folder with a dimmer.toml: found from below, named by a variable, told in one line where it is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core.closure import ROOT
from dimmer.project import FILE, cache_folder, find_project, project

TEXT = """
[project]
model = "door"
target = "boards/lock"
models = "recipes"
"""


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DIMMER_PROJECT", "DIMMER_BUILD", "DIMMER_MODELS", "DIMMER_TARGETS"):
        monkeypatch.delenv(name, raising=False)


def write(folder: Path, text: str = TEXT) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(text)
    return folder


def test_it_is_found_from_any_folder_below(tmp_path: Path) -> None:
    home = write(tmp_path / "home")
    below = home / "a" / "b"
    below.mkdir(parents=True)
    assert find_project(below) == home / FILE
    found = project(below)
    assert (found.folder, found.model, found.build) == (home, "door", home / "build")
    assert found.target == str(home / "boards" / "lock"), "a path counts from the project"
    assert (found.models, found.targets) == ((home / "recipes",), (home / "targets",))


def test_the_next_one_upwards_counts(tmp_path: Path) -> None:
    write(tmp_path / "home")
    inner = write(tmp_path / "home" / "inner", "")
    assert project(inner).folder == inner
    assert project(inner).model is None


def test_without_one_builds_lie_in_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = project(tmp_path)
    assert (found.folder, found.build, found.models) == (None, ROOT / "build", ())
    monkeypatch.setattr("dimmer.project.CHECKOUT", None)
    assert project(tmp_path).build == tmp_path / "build", "where nothing is checked out, in the working directory"


def test_the_environment_is_stronger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = write(tmp_path / "home")
    monkeypatch.setenv("DIMMER_PROJECT", str(home))
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path / "out"))
    monkeypatch.setenv("DIMMER_MODELS", f"{tmp_path / 'one'}:{tmp_path / 'two'}")
    found = project(tmp_path)
    assert (found.folder, found.build) == (home, tmp_path / "out")
    assert found.models == (tmp_path / "one", tmp_path / "two", home / "recipes")
    monkeypatch.setenv("DIMMER_PROJECT", str(tmp_path))
    with pytest.raises(DimmerError, match=r"there is no dimmer\.toml; write one with 'dimmer init"):
        project(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[project", "not valid TOML"),
        ("[projects]", r"unknown section \[projects\]; there is one, \[project\]"),
        ("project = 3", r"project must be a section, \[project\]"),
        ("[project]\nmodle = 'x'", "unknown key 'modle' in .*; known are: model, target, models, targets, build"),
        ("[project]\nmodel = 3", 'project.model = 3: must be a text, such as "mnist5k-r14"'),
        ("[project]\nbuild = ''", "project.build = '': must be a text"),
    ],
)
def test_a_broken_file_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(DimmerError, match=says) as caught:
        project(write(tmp_path / "home", text))
    assert str(caught.value).startswith(str(tmp_path / "home" / FILE))


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"\xff\xfe")
    with pytest.raises(DimmerError, match=r"dimmer\.toml, line 1: not UTF-8"):
        project(tmp_path)


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DIMMER_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.setenv("DIMMER_CACHE", "")
    assert cache_folder() == Path.home() / ".cache" / "dimmer"
