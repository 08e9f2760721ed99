# SPDX-License-Identifier: Apache-2.0
"""Files of a new project are what they were copied from, and readers and schemas accept them."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from dimmer.pipeline.networks import family
from dimmer.pipeline.projects.files import IGNORED, project_files
from dimmer.pipeline.projects.wanted import Wanted, shipped_targets, templates
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.schemas.files import DIRECTIVE, FileKind, shipped_schema
from dimmer.project import FILE, MODELS, project
from dimmer.targets.target import TARGETS, read_target
from tests.pipeline.schemas.mutants import refuses


@pytest.fixture(autouse=True)
def shipped_families(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(family, "_registered", {})
    for name in ("DIMMER_PROJECT", "DIMMER_BUILD", "DIMMER_MODELS", "DIMMER_TARGETS"):
        monkeypatch.delenv(name, raising=False)


def write(folder: Path, wanted: Wanted) -> dict[PurePosixPath, str]:
    files = project_files(wanted)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return files


@pytest.mark.parametrize("template", templates())
def test_a_recipe_is_its_template_s(tmp_path: Path, template: str) -> None:
    files = write(tmp_path, Wanted("door", template))
    made, other = load_recipe(tmp_path / "models" / "door"), load_recipe(MODELS / template)
    assert dataclasses.replace(other, name="door", path=made.path) == made
    text = files[PurePosixPath("models/door/recipe.toml")]
    assert "# peak learning rate.\nlr = " in text
    assert not refuses(FileKind.RECIPE, tomllib.loads(text))
    # A comment above each section, its own comments kept.
    lines = text.splitlines()
    headers = [n for n, line in enumerate(lines) if line.startswith("[")]
    assert all(lines[n - 1].startswith("# ") for n in headers)
    own = (MODELS / template / "recipe.toml").read_text().splitlines()[2:]
    assert "SPDX" not in text
    assert [line for line in own if line.startswith("#") and line not in lines] == []
    assert all(f"[{section}]" in text for section in ("gates", "teacher", "policy"))


@pytest.mark.parametrize("target", shipped_targets())
def test_an_own_target_is_a_copy_that_works_elsewhere(tmp_path: Path, target: str) -> None:
    files = write(tmp_path, Wanted("door", target=target, own_target="lock"))
    made, other = (
        read_target(tmp_path / "targets" / "lock" / "target.toml"),
        read_target(TARGETS / target / "target.toml"),
    )
    runner = other.runner
    if runner.rtl is not None:
        runner = dataclasses.replace(runner, rtl=dataclasses.replace(runner.rtl, name="lock"))
    runner = dataclasses.replace(runner, target=made.folder / "target.toml")
    assert dataclasses.replace(other, name="lock", folder=made.folder, runner=runner) == made
    table: dict[str, Any] = tomllib.loads(files[PurePosixPath("targets/lock/target.toml")])
    # A board has its sources of its family.
    assert all(name.startswith("dimmer:") for name in table.get("toolchain", {}).get("sources", []))
    assert "family" in table or table["toolchain"]["sources"]
    assert not refuses(FileKind.TARGET, table)


def test_the_project_names_model_and_target(tmp_path: Path) -> None:
    files = write(tmp_path, Wanted("door", target="host"))
    assert list(files)[-1] == PurePosixPath(FILE), "until that is there, nothing is a project"
    assert not refuses(FileKind.PROJECT, tomllib.loads(files[PurePosixPath(FILE)]))
    found = project(tmp_path)
    assert (found.model, found.target, found.build) == ("door", "host", tmp_path / "build")
    assert not (tmp_path / "targets").exists()
    assert files[PurePosixPath(".gitignore")].split() == [IGNORED]
    write(tmp_path, Wanted("door", target="host", own_target="lock"))
    assert project(tmp_path).target == "lock"


def test_every_file_names_a_schema_that_lies_in_the_project(tmp_path: Path) -> None:
    files = write(tmp_path, Wanted("door", own_target="lock"))
    named = {name: text for name, text in files.items() if name.suffix == ".toml"}
    assert len(named) == 3
    for name, text in named.items():
        kind = FileKind("project" if name.name == FILE else name.stem)
        path = (tmp_path / name).parent / text.splitlines()[0].removeprefix(DIRECTIVE)
        assert path.resolve().is_relative_to(tmp_path)
        assert path.read_bytes() == shipped_schema(kind).read_bytes()
