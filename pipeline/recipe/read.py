# SPDX-License-Identifier: Apache-2.0
"""A table of a TOML file into a dataclass, every mistake with file, line and key."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from dimmer.errors import DimmerError
from dimmer.pipeline.core.checks import InvalidKeyError

T = TypeVar("T")


class Lines:
    """Finds the line of a key, which tomllib does not tell."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines: dict[tuple[str, ...], int] = {}
        section: tuple[str, ...] = ()
        for number, line in enumerate(text.splitlines(), 1):
            if header := re.match(r"\s*\[([^\[\]]+)\]\s*(#.*)?$", line):
                section = tuple(part.strip().strip("\"'") for part in header[1].split("."))
                self._lines.setdefault(section, number)
            elif key := re.match(r"\s*([A-Za-z0-9_.\"'-]+)\s*=", line):
                self._lines.setdefault((*section, *key[1].replace('"', "").replace("'", "").split(".")), number)

    def at(self, section: tuple[str, ...], key: str) -> str:
        """``file, line 12``, or that of the section where the key is missing."""
        for place in ((*section, key), section):
            if place in self._lines:
                return f"{self._path}, line {self._lines[place]}"
        return str(self._path)


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
            raise DimmerError(f"{at}: unknown key '{key}' in [{name}]; known are: {', '.join((*fields, *beside))}")
    for key, known in fields.items():
        if key in table:
            values[key] = _convert(hints[key], table[key], section, key, where)
        elif known.default is dataclasses.MISSING and known.default_factory is dataclasses.MISSING:
            raise DimmerError(f"{where.at(section, key)}: key '{key}' is missing in [{name}]")
    try:
        return cls(**values)
    except InvalidKeyError as error:
        at = where.at(section, error.key)
        raise DimmerError(f"{at}: {name}.{error.key} = {table.get(error.key)!r}: {error.reason}") from error


_KINDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def _convert(kind: Any, value: Any, section: tuple[str, ...], key: str, where: Lines) -> Any:
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return read_section(kind, value, (*section, key), where)
    if get_origin(kind) is tuple:
        (item, _) = get_args(kind)
        # A single text stands for a list of one: force = "all".
        items = [value] if item is str and isinstance(value, str) else value
        if isinstance(items, list) and all(_fits(item, v) for v in items):
            return tuple(item(v) for v in items)
        expected = f"a list; each entry {_KINDS[item]}"
    elif _fits(kind, value):
        return kind(value)
    else:
        expected = _KINDS[kind]
    raise DimmerError(f"{where.at(section, key)}: {'.'.join(section)}.{key} = {value!r} must be {expected}")


def _fits(kind: type, value: Any) -> bool:
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)
