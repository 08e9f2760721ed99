# SPDX-License-Identifier: Apache-2.0
"""What a source imports is kept between runs, and a source that changed is read anew."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dimmer.pipeline.core import imports
from dimmer.pipeline.core.imports import Names, keep, names_of, source_names


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("DIMMER_CACHE", str(tmp_path / "kept"))
    forget()
    yield tmp_path / "kept" / "imports.json"
    forget()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.py"
    path.write_text("import numpy\nfrom dimmer.pipeline import modes\n")
    return path


def forget() -> None:
    imports._store_at.cache_clear()


def never_parse(monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(*_: object) -> None:
        raise AssertionError("parsed")

    monkeypatch.setattr(ast, "parse", parse)


FOUND = Names(("dimmer.pipeline", "numpy"), ("dimmer.pipeline.modes",))


def test_a_second_run_parses_nothing(store: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert source_names(source) == FOUND
    keep()
    forget()
    never_parse(monkeypatch)
    assert source_names(source) == FOUND


def test_a_source_that_changed_is_parsed_anew(store: Path, source: Path) -> None:
    source_names(source)
    keep()
    forget()
    stat = source.stat()
    source.write_text(source.read_text().replace("numpy", "torch"))
    os.utime(source, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert source_names(source).imports == ("dimmer.pipeline", "torch")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"made_by": "another", "sources": {}}', '{"sources": []}', '{"made_by": 1, "sources": 2}'],
)
def test_a_store_that_is_broken_or_by_another_version_is_not_taken(store: Path, source: Path, text: str) -> None:
    store.parent.mkdir()
    store.write_text(text)
    assert source_names(source) == FOUND
    keep()
    assert len(json.loads(store.read_text())["sources"]) == 1


def test_names_of_another_version_are_not_taken(store: Path, source: Path) -> None:
    source_names(source)
    keep()
    document = json.loads(store.read_text())
    document["made_by"] = "another"
    (digest,) = document["sources"]
    document["sources"][digest] = [["wrong"], []]
    store.write_text(json.dumps(document))
    forget()
    assert source_names(source) == FOUND


def test_a_store_that_cannot_be_written_costs_only_time(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DIMMER_CACHE", str(tmp_path / "file" / "below"))
    forget()
    assert source_names(source) == FOUND
    keep()
    forget()


def test_nothing_is_written_where_nothing_is_new(store: Path, source: Path) -> None:
    source_names(source)
    keep()
    before = store.stat().st_ino
    source_names(source)
    keep()
    assert store.stat().st_ino == before
    assert [path.name for path in store.parent.iterdir()] == ["imports.json"]


def test_strings_that_cannot_name_a_module_are_not_taken() -> None:
    for text in ("'dimmer runs'", "'dimmer.toml and more'", "'numpy'", "b'dimmer.errors'"):
        assert names_of(ast.parse(text, mode="eval").body) == Names((), ())
