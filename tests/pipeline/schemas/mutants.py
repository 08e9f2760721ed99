# SPDX-License-Identifier: Apache-2.0
"""Files with one thing wrong, and what a schema says of them."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from dimmer.pipeline.networks.family import families
from dimmer.pipeline.schemas.files import FileKind, make_schema

Toml = dict[str, Any]

OTHERS: tuple[Any, ...] = (True, 3, 2.5, "x", ["x"], [2.5], [True], {"x": 1})
"""Values of every type, each wrong for most keys."""


def toml(value: Any) -> str:
    """A value in TOML; tables within it are inline ones."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


def document(table: Toml) -> str:
    """A file with these keys, one a line."""
    return "".join(f"{json.dumps(key)} = {toml(value)}\n" for key, value in table.items())


def refuses(kind: FileKind, table: Toml) -> bool:
    """Whether the schema refuses what stands in a file."""
    return not _validator(kind, families()).is_valid(table)


@cache
def _validator(kind: FileKind, _families: tuple[str, ...]) -> Draft202012Validator:
    schema: Any = make_schema(kind)
    return Draft202012Validator(schema)


def completed(table: Toml, schema: Any) -> Toml:
    """The table with every key that has a default, so that every key of the schema can be spoilt."""
    made = dict(table)
    ways = [one["properties"] for one in schema.get("oneOf", [schema])]
    (properties,) = (w for w in ways if len(ways) == 1 or w["family"]["const"] == table["family"])
    for key, inner in properties.items():
        if "default" in inner:
            made.setdefault(key, inner["default"])
        elif "properties" in inner or "oneOf" in inner:
            made[key] = completed(made.get(key, {}), inner)
    return made


def mutants(table: Toml, place: tuple[str, ...] = ()) -> Iterator[tuple[str, Toml]]:
    """What was done -> the table with each key gone, of each other type, and with a key that nobody knows."""
    yield f"{place} with another key", {**table, "lamp": 1}
    for key, value in table.items():
        yield f"{(*place, key)} gone", {name: inner for name, inner in table.items() if name != key}
        for other in OTHERS:
            if other != value or type(other) is not type(value):
                yield f"{(*place, key)} = {other!r}", {**table, key: other}
        if isinstance(value, dict):
            for what, inner in mutants(value, (*place, key)):
                yield what, {**copy.deepcopy(table), key: inner}
