# SPDX-License-Identifier: Apache-2.0
"""Frozen dataclasses as JSON files and back: what one stage leaves and another reads.

A dataclass is an object with its fields as keys, in their order; tuples are arrays, mappings objects. A file may have
more keys than are read here, and may lack those whose field has a default: keys are added over the years.
"""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from dimmer.errors import DimmerError
from dimmer.pipeline.core.stage import Json, atomic_write

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")

_KINDS: Mapping[type, str] = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


class DocumentError(ValueError):
    """What is wrong in a document, and where: ``modes[2].macs is missing``."""


def save_document(path: Path, value: DataclassInstance, indent: int = 1) -> None:
    """Write a dataclass as a JSON file, whole or not at all."""
    atomic_write(path, json.dumps(asdict(value), indent=indent) + "\n")


def to_json(value: DataclassInstance) -> dict[str, Json]:
    """What `json.loads` would give of the saved dataclass: its tuples are lists."""
    made: dict[str, Json] = json.loads(json.dumps(asdict(value)))
    return made


def load_document(cls: type[T], path: Path) -> T:
    """Read what `save_document` wrote.

    Raises:
        DimmerError: the file is missing or damaged; the message says what to remove.
    """
    try:
        return parse_document(cls, path.read_text())
    except (OSError, ValueError) as error:
        if not path.parent.is_dir():
            raise DimmerError(f"{path} is not there: build it first") from error
        raise DimmerError(f"{path} cannot be read ({error}): remove {path.parent} and build again") from error


def parse_document(cls: type[T], text: str) -> T:
    """The dataclass that a JSON text stands for.

    Raises:
        ValueError: it is no JSON, or (as `DocumentError`) not of this shape.
    """
    try:
        return from_json(cls, json.loads(text))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def from_json(cls: type[T], value: object) -> T:
    """As `parse_document`, of what `json.loads` gives.

    Raises:
        DocumentError: a key is missing, or a value is of another type.
    """
    made: T = _converted(cls, value, "")
    return made


def _converted(kind: Any, value: Any, place: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _dataclass(kind, value, place)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        kinds = [argument for argument in arguments if argument is not type(None)]
        # Of several, which are those of `Json`, any may stand here.
        return _converted(kinds[0], value, place) if len(kinds) == 1 else value
    if origin is Literal:
        if value not in arguments:
            raise DocumentError(f"{place} is {_short(value)}, not one of {', '.join(map(repr, arguments))}")
        return value
    fields_of_tuple = getattr(kind, "_fields", None)
    if origin is tuple or fields_of_tuple is not None:
        if not isinstance(value, list):
            raise DocumentError(f"{place} is {_short(value)}, not a list")
        if fields_of_tuple is not None:
            arguments = tuple(_hints(kind)[name] for name in fields_of_tuple)
        items = [arguments[0]] * len(value) if arguments[1:] == (...,) else list(arguments)
        if len(items) != len(value):
            raise DocumentError(f"{place} has {len(value)} entries, not {len(items)}")
        found = [_converted(item, v, f"{place}[{i}]") for i, (item, v) in enumerate(zip(items, value, strict=True))]
        return tuple(found) if fields_of_tuple is None else kind(*found)
    if origin is Mapping:
        table = _table(value, place)
        return {key: _converted(arguments[1], v, f"{place}.{key}" if place else key) for key, v in table.items()}
    if not _fits(kind, value):
        raise DocumentError(f"{place} is {_short(value)}, not {_KINDS[kind]}")
    return value


def _dataclass(cls: Any, value: Any, place: str) -> Any:
    table, hints, found = _table(value, place), _hints(cls), {}
    for field in fields(cls):
        inside = f"{place}.{field.name}" if place else field.name
        if field.name in table:
            found[field.name] = _converted(hints[field.name], table[field.name], inside)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise DocumentError(f"{inside} is missing")
    return cls(**found)


def _table(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DocumentError(f"{place or 'it'} is {_short(value)}, not an object")
    return value


def _fits(kind: type, value: Any) -> bool:
    if isinstance(value, bool):
        return kind is bool
    # A float that is whole may stand without its point; it is kept as it is written.
    return isinstance(value, (int, float) if kind is float else kind)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)
