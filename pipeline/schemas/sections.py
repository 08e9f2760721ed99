# SPDX-License-Identifier: Apache-2.0
"""A section's dataclass as a JSON Schema: it accepts the types that `dimmer.pipeline.recipe.read` accepts."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from dimmer.pipeline.core.checks import OneOf
from dimmer.pipeline.core.stage import Json
from dimmer.pipeline.schemas.docstrings import attributes, summary

_KINDS: Mapping[type, str] = {int: "integer", float: "number", str: "string", bool: "boolean"}


def section_schema(cls: type) -> dict[str, Json]:
    """The schema of a section: its fields as keys, with types, defaults and the docstring's descriptions."""
    return table_schema(summary(cls), field_schemas(cls), required_fields(cls))


def table_schema(description: str, keys: Mapping[str, Json], required: tuple[str, ...]) -> dict[str, Json]:
    """A table with these keys and no others; the description may be empty."""
    told: dict[str, Json] = {"description": description} if description else {}
    made: dict[str, Json] = {**told, "type": "object", "properties": keys}
    if required:
        made["required"] = list(required)
    return {**made, "additionalProperties": False}


def field_schemas(cls: type, without: Collection[str] = ()) -> dict[str, Json]:
    """Name of a field -> its schema.

    Args:
        without: fields that are no keys.
    """
    assert dataclasses.is_dataclass(cls)
    hints, told = get_type_hints(cls, include_extras=True), attributes(cls)
    found: dict[str, Json] = {}
    for field in dataclasses.fields(cls):
        if field.name in without:
            continue
        made = _type_schema(hints[field.name])
        if field.name in told:
            made = {"description": told[field.name], **made}
        if field.default is not dataclasses.MISSING:
            made["default"] = list(field.default) if isinstance(field.default, tuple) else field.default
        found[field.name] = made
    return found


def required_fields(cls: type) -> tuple[str, ...]:
    """Names of the fields that have no default."""
    assert dataclasses.is_dataclass(cls)
    missing = dataclasses.MISSING
    return tuple(f.name for f in dataclasses.fields(cls) if f.default is missing and f.default_factory is missing)


def _type_schema(kind: Any) -> dict[str, Json]:
    allowed: dict[str, Json] = {}
    if get_origin(kind) is Annotated:
        kind, *beside = get_args(kind)
        for one in beside:
            if isinstance(one, OneOf):
                allowed["enum"] = list(one.values())
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return section_schema(kind)
    if get_origin(kind) is not tuple:
        return {"type": _KINDS[kind], **allowed}
    (item, _) = get_args(kind)
    if dataclasses.is_dataclass(item) and isinstance(item, type):
        return {"type": "array", "items": section_schema(item)}
    entry: dict[str, Json] = {"type": _KINDS[item], **allowed}
    listed: dict[str, Json] = {"type": "array", "items": entry}
    # A single text stands for a list of one: force = "all".
    return {"anyOf": [listed, entry]} if item is str else listed
