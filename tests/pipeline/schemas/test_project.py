# SPDX-License-Identifier: Apache-2.0
"""The schema of dimmer.toml refuses what its reader refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.schemas.files import FileKind
from dimmer.pipeline.schemas.project import project_schema
from dimmer.project import FILE, KEYS, project
from tests.pipeline.schemas.mutants import document, mutants, refuses


def test_schema_and_reader_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIMMER_PROJECT", raising=False)
    whole = {"project": {name: key.example for name, key in KEYS.items()}}
    tables = [("whole", whole), ("empty", {}), ("no text", {"project": {"model": ""}}), *mutants(whole)]
    verdicts = []
    for what, table in tables:
        (tmp_path / FILE).write_text(document(table))
        try:
            project(tmp_path)
            refused = False
        except DimmerError:
            refused = True
        assert refuses(FileKind.PROJECT, table) == refused, what
        verdicts.append(refused)
    assert verdicts[:3] == [False, False, True]
    assert sum(verdicts) > 40


def test_keys_have_meanings_and_defaults() -> None:
    schema: Any = project_schema()
    keys = schema["properties"]["project"]["properties"]
    assert keys["build"]["default"] == "build"
    assert "default" not in keys["model"]
    assert all(key["description"] for key in keys.values())
