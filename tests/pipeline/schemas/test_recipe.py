# SPDX-License-Identifier: Apache-2.0
"""The schema of recipes accepts what the reader accepts, and refuses what that refuses for its names and types."""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.networks import family
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.schemas.files import FileKind
from dimmer.pipeline.schemas.recipe import recipe_schema
from dimmer.project import MODELS
from tests.pipeline.schemas.mutants import completed, document, mutants, refuses

BY_SHAPE = re.compile(
    r"unknown (key|section)|is missing|must be (a whole number|a number|a text|true or|a list|a sect)"
)


@pytest.fixture(autouse=True)
def shipped_families(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(family, "_registered", {})


@pytest.mark.parametrize("path", sorted(MODELS.glob("*/recipe.toml")), ids=lambda path: path.parent.name)
def test_shipped_recipes_are_valid(path: Path) -> None:
    assert not refuses(FileKind.RECIPE, tomllib.loads(path.read_text()))


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_schema_and_reader_agree_on_names_and_types(tmp_path: Path, every: int) -> None:
    path = tmp_path / "recipe.toml"
    schema: Any = recipe_schema()
    whole = completed(tomllib.loads((MODELS / "cifar10-r14" / "recipe.toml").read_text()), schema)

    def refused(table: dict[str, Any]) -> str:
        path.write_text(document(table))
        try:
            load_recipe(path)
        except DimmerError as error:
            return str(error)
        return ""

    assert refused(whole) == ""
    assert not refuses(FileKind.RECIPE, whole)
    done = 0
    for what, table in itertools.islice(mutants(whole), 0, None, every):
        said = refused(table)
        by_schema = refuses(FileKind.RECIPE, table)
        assert by_schema or not BY_SHAPE.search(said), f"{what}: only the reader refuses: {said}"
        assert said or not by_schema, f"{what}: only the schema refuses"
        done += by_schema
    assert done > 400 // every


def test_names_are_known_values(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    good = (MODELS / "cifar10-r14" / "recipe.toml").read_text()
    for key, value in (("family", "lamp"), ("dataset", "lamp"), ("precision", "fp8"), ("methods", "max")):
        text = re.sub(rf"(?m)^{key} = .*", f'{key} = "{value}"', good)
        path.write_text(text)
        with pytest.raises(DimmerError, match=key):
            load_recipe(path)
        assert refuses(FileKind.RECIPE, tomllib.loads(text)), key


def descriptions(schema: dict[str, Any], place: str = "") -> Iterator[tuple[str, str]]:
    for one in schema.get("oneOf", [schema]):
        for key, inner in one.get("properties", {}).items():
            yield f"{place}{key}", inner.get("description", "")
            yield from descriptions(inner, f"{place}{key}.")


def test_every_key_is_described() -> None:
    schema: Any = recipe_schema()
    found = dict(descriptions(schema))
    assert len(found) > 60
    assert [key for key, told in found.items() if not told] == []


def test_a_family_brings_its_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(family, "_registered", {"toy": "tests.pipeline.networks.toy_family"})
    schema: Any = recipe_schema()
    model = schema["properties"]["model"]["oneOf"]
    assert [one["properties"]["family"]["const"] for one in model] == list(family.families())
    own = [set(one["properties"]) - {"family", "dataset"} for one in model]
    assert own == [set(family.config_keys(name)) for name in family.families()]
    assert "toy" in family.families()
