# SPDX-License-Identifier: Apache-2.0
"""Shipped schemas are what the readers are today, and shipped files name them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dimmer.pipeline.networks import family
from dimmer.pipeline.schemas.files import DIRECTIVE, FileKind, make_schema, named, schema_text, shipped_schema
from dimmer.project import MODELS
from dimmer.targets.target import TARGETS


@pytest.fixture(autouse=True)
def shipped_families(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(family, "_registered", {})


@pytest.mark.parametrize("kind", FileKind)
def test_the_shipped_file_is_what_the_reader_says(kind: FileKind) -> None:
    assert shipped_schema(kind).read_text() == schema_text(kind), (
        "type: python -m pipeline.schema --out pipeline/schemas"
    )


@pytest.mark.parametrize("kind", FileKind)
def test_it_is_a_schema(kind: FileKind) -> None:
    schema: Any = make_schema(kind)
    Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    assert schema["title"] == f"{kind.toml} of Dimmer"


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        *((FileKind.RECIPE, path) for path in sorted(MODELS.glob("*/recipe.toml"))),
        *((FileKind.TARGET, path) for path in sorted(TARGETS.glob("*/target.toml"))),
    ],
    ids=lambda value: value.parent.name if isinstance(value, Path) else value.value,
)
def test_shipped_files_name_their_schema_in_the_first_line(kind: FileKind, path: Path) -> None:
    first = path.read_text().splitlines()[0]
    assert first.startswith(DIRECTIVE)
    assert (path.parent / first.removeprefix(DIRECTIVE)).resolve() == shipped_schema(kind)


def test_a_file_gets_one_first_line() -> None:
    once = named("a = 1\n", "x.json")
    assert once == "#:schema x.json\na = 1\n"
    assert named(once, "y.json") == "#:schema y.json\na = 1\n"
    assert named("", "x.json") == "#:schema x.json\n"
