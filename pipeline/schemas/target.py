# SPDX-License-Identifier: Apache-2.0
"""The schema of target.toml, from what its reader asks of the files of all targets that come with Dimmer."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from dimmer.errors import DimmerError
from dimmer.pipeline.core.stage import Json
from dimmer.pipeline.schemas.docstrings import attributes, summary
from dimmer.pipeline.schemas.sections import table_schema
from dimmer.targets.kit.family import KEY as FAMILY
from dimmer.targets.kit.family import common_keys, read_target_table
from dimmer.targets.kit.schema import Asked, Kind, Table
from dimmer.targets.power.constants import FOLDER, Constant, board_of
from dimmer.targets.target import FILE, TARGETS, Target, target_of


def target_schema() -> dict[str, Json]:
    """Raises DimmerError where no target has a table that the reader knows: nobody could tell what belongs into it."""
    paths = sorted(TARGETS.glob(f"*/{FILE}"))
    constants = [table for path in sorted(FOLDER.glob("*.toml")) for table in _constants(path)]
    tables = [read_target_table(path) for path in paths]
    for table, path in zip(tables, paths, strict=True):
        target_of(table, path.parent)
    made: Any = _table(tables, Target, summary(Target), (), {Constant: constants})
    alone = _moved(made, common_keys())
    return {**made, "if": {"required": [FAMILY]}, "else": alone}


def _moved(schema: Any, common: Mapping[str, Any]) -> dict[str, Json]:
    """Takes what a family may say out of a table's required keys; returns what asks for it where there is none."""
    required = [key for key in schema.get("required", ()) if key in common]
    kept = [key for key in schema.pop("required", ()) if key not in common]
    if kept:
        schema["required"] = kept
    inner: dict[str, Json] = {
        key: moved
        for key, value in common.items()
        if isinstance(value, Mapping) and (moved := _moved(schema["properties"][key], value))
    }
    found: dict[str, Json] = {"required": list(required)} if required else {}
    return {**found, "properties": inner} if inner else found


def _constants(path: Path) -> Iterator[Table]:
    """The tables of constants in a board's file."""
    table = Table.read(path)
    board_of(table, path.stem)
    energy = table.asked["energy"].table
    assert energy is not None
    yield from (one.table for one in energy.asked.values() if one.table is not None)


def _table(
    tables: Iterable[Table], cls: type, description: str, place: tuple[str, ...], examples: Mapping[type, list[Table]]
) -> dict[str, Json]:
    """The schema of tables that are described by a class.

    Args:
        examples: class -> tables of it, for those that no target has.
    """
    asked: dict[str, list[Asked]] = {}
    for table in tables:
        for key, one in table.asked.items():
            asked.setdefault(key, []).append(one)
    told = attributes(cls)
    keys: dict[str, Json] = {}
    for key, each in asked.items():
        if each[0].kind is not Kind.TABLE:
            keys[key] = {**({"description": told[key]} if key in told else {}), **_key(each[0])}
            continue
        own = _class_of(cls, key)
        inner = [one.table for one in each if one.table is not None]
        if own is not None and own in examples:
            inner += examples[own]
        if not inner:
            raise DimmerError(f"no target has [{'.'.join((*place, key))}], so that it cannot be described")
        described = told.get(key) or (summary(own) if own else "")
        keys[key] = _table(inner, own or cls, described, (*place, key), examples)
    return table_schema(description, keys, tuple(key for key, each in asked.items() if each[0].required))


def _class_of(cls: type, key: str) -> type | None:
    """That of the attribute with the table's name; None where the table holds attributes of the class itself."""
    kind: Any = get_type_hints(cls).get(key)
    if get_origin(kind) in (Union, types.UnionType):
        kind = next(one for one in get_args(kind) if dataclasses.is_dataclass(one))
    found: type | None = kind
    return found


def _key(asked: Asked) -> dict[str, Json]:
    text: dict[str, Json] = {"type": "string"}
    if asked.choices:
        text["enum"] = list(asked.choices)
    match asked.kind:
        case Kind.TEXT:
            return text if asked.default is None else {**text, "default": asked.default}
        case Kind.NATURAL:
            number: dict[str, Json] = {"type": "integer", "minimum": 0}
            return number if asked.default is None else {**number, "default": asked.default}
        case Kind.POSITIVE:
            return {"type": "number", "exclusiveMinimum": 0}
        case Kind.NUMBER:
            return {"type": "number", "minimum": 0}
        case Kind.TEXTS:
            return {"type": "array", "items": text}
        case _:
            return {"type": "object", "additionalProperties": text}
