# SPDX-License-Identifier: Apache-2.0
"""A table of a TOML file into a dataclass, every mistake with file, line and key."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from dimmer.errors import DimmerError
from dimmer.pipeline.core.checks import InvalidKeyError
from dimmer.toml import Lines, shown

T = TypeVar("T")


def read_section(
    cls: type[T],
    table: Any,
    section: tuple[str, ...],
    where: Lines,
    given: Mapping[str, Any] | None = None,
    beside: Sequence[str] = (),
) -> T:
    """Fill a section's dataclass from its table.

    Args:
        given: fields that are no keys of the table.
        beside: keys of the table that are no fields.

    Raises:
        DimmerError: an unknown, missing or wrong key; the message names file, line and key.
    """
    name = ".".join(section)
    if not isinstance(table, dict):
        raise DimmerError(f"{where.at(section[:-1], section[-1])}: {name} must be a section, [{name}]")
    hints = get_type_hints(cls)
    assert dataclasses.is_dataclass(cls)
    values = dict(given or {})
    fields = {f.name: f for f in dataclasses.fields(cls) if f.name not in values}
    for key in table:
        if key not in fields and key not in beside:
            at = where.at(section, key)
            raise DimmerError(f"{at}: unknown key {shown(key)} in [{name}]; known are: {', '.join((*fields, *beside))}")
    for key, known in fields.items():
        if key in table:
            values[key] = _convert(hints[key], table[key], section, key, where)
        elif known.default is dataclasses.MISSING and known.default_factory is dataclasses.MISSING:
            raise DimmerError(f"{where.at(section, key)}: key '{key}' is missing in [{name}]")
    try:
        return cls(**values)
    except InvalidKeyError as error:
        # Of a key that is left out the default was refused; an empty one stands for nothing.
        value = table.get(error.key, getattr(cls, error.key, None) or None)
        at = where.at(section, error.key)
        raise DimmerError(f"{at}: {name}.{error.key} = {shown(value)}: {error.reason}") from error


_KINDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def _convert(kind: Any, value: Any, section: tuple[str, ...], key: str, where: Lines) -> Any:
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return read_section(kind, value, (*section, key), where)
    if get_origin(kind) is tuple:
        (item, _) = get_args(kind)
        if dataclasses.is_dataclass(item) and isinstance(item, type):
            return _tables(item, value, section, key, where)
        # A single text stands for a list of one: force = "all".
        items = [value] if item is str and isinstance(value, str) else value
        if isinstance(items, list) and all(_fits(item, v) for v in items):
            return tuple(item(v) for v in items)
        expected = f"a list; each entry {_KINDS[item]}"
    elif _fits(kind, value):
        return kind(value)
    else:
        expected = _KINDS[kind]
    raise DimmerError(f"{where.at(section, key)}: {'.'.join(section)}.{key} = {shown(value)} must be {expected}")


def _tables(item: type, value: Any, section: tuple[str, ...], key: str, where: Lines) -> tuple[Any, ...]:
    """A list of tables, [[section.key]]."""
    name = ".".join((*section, key))
    if not isinstance(value, list):
        raise DimmerError(f"{where.at(section, key)}: {name} must be tables, [[{name}]] each")
    return tuple(read_section(item, one, (*section, key, str(number)), where) for number, one in enumerate(value, 1))


def _fits(kind: type, value: Any) -> bool:
    if isinstance(value, bool):
        return kind is bool
    if kind is float and isinstance(value, int):
        # What is larger than any float is no number here.
        return abs(value) < 1 << 1000
    return isinstance(value, kind)
