# SPDX-License-Identifier: Apache-2.0
"""`dimmer schema`: printed, or written where an editor finds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import schema
from dimmer.pipeline.networks import family
from dimmer.pipeline.schemas.files import FileKind, shipped_schema


@pytest.fixture(autouse=True)
def shipped_families(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(family, "_registered", {})


def test_one_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    schema.main(FileKind.RECIPE)
    assert capsys.readouterr().out == shipped_schema(FileKind.RECIPE).read_text()


def test_all_go_into_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schema.main(out=tmp_path / "new")
    for kind in FileKind:
        assert (tmp_path / "new" / kind.schema).read_bytes() == shipped_schema(kind).read_bytes()
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / "new" / kind.schema) for kind in FileKind]
    schema.main(FileKind.TARGET, tmp_path / "new")
    assert capsys.readouterr().out == f"{tmp_path}/new/target.schema.json, which was so already\n"


def test_one_goes_into_a_file(tmp_path: Path) -> None:
    schema.main(FileKind.PROJECT, tmp_path / "own.json")
    assert (tmp_path / "own.json").read_bytes() == shipped_schema(FileKind.PROJECT).read_bytes()


def test_what_cannot_be_done_is_told(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match="name a file, recipe, target or project; or a folder"):
        schema.main()
    with pytest.raises(DimmerError, match=r"own\.json holds one schema"):
        schema.main(out=tmp_path / "own.json")
    (tmp_path / "file").touch()
    with pytest.raises(DimmerError, match=r"recipe\.schema\.json cannot be written: .*another place with --out"):
        schema.main(FileKind.RECIPE, tmp_path / "file")
