# SPDX-License-Identifier: Apache-2.0
"""A TOML file with a comment above every section and key: what its schema says of them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping

from dimmer.pipeline.core.stage import Json

_WIDTH = 100
_SECTION = re.compile(r"\[\[?([A-Za-z0-9_.-]+)\]\]?")
_KEY = re.compile(r"([A-Za-z0-9_-]+)\s*=")


def commented(text: str, schema: Mapping[str, Json]) -> str:
    """The text with these comments, each once; its own stay.

    Args:
        text: TOML whose sections and keys begin their lines; other lines of an array are indented.
        schema: of the whole file.
    """
    lines: list[str] = []
    place: tuple[str, ...] = ()
    told: set[tuple[str, ...]] = set()
    for line in text.splitlines():
        here: tuple[str, ...] = ()
        if section := _SECTION.match(line):
            here = place = tuple(section[1].split("."))
        elif key := _KEY.match(line):
            here = (*place, key[1])
        if here and here not in told:
            lines += comment(_description(schema, here))
            told.add(here)
        lines.append(line)
    return "\n".join(lines) + "\n"


def sections_without(text: str, schema: Mapping[str, Json]) -> str:
    """Comments that name the sections which the text leaves out; empty where it has all."""
    there = {match[1].split(".")[0] for line in text.splitlines() if (match := _SECTION.match(line))}
    missing = [name for name in _properties(schema) if name not in there]
    lines = [line for name in missing for line in comment(f"[{name}] {_description(schema, (name,))}", "  ")]
    return "\n".join(["# Sections that are left out here:", *lines, ""]) if lines else ""


def comment(text: str, indent: str = "") -> list[str]:
    """A text as lines of comments; no line for an empty text."""
    return textwrap.wrap(text, _WIDTH, initial_indent="# ", subsequent_indent=f"# {indent}", break_on_hyphens=False)


def _description(schema: Json, place: tuple[str, ...]) -> str:
    for name in place:
        schema = _properties(schema).get(name)
    return str(_object(schema).get("description", "")).replace("``", "")


def _properties(schema: Json) -> Mapping[str, Json]:
    """Of a table, of each of a list of tables, or of all tables that may stand in its place: families share what they
    mean by a key.
    """
    schema = _object(schema).get("items", schema)
    alternatives = _object(schema).get("oneOf")
    tables = alternatives if isinstance(alternatives, list) else [schema]
    return {key: inner for one in tables for key, inner in _object(_object(one).get("properties")).items()}


def _object(schema: Json) -> Mapping[str, Json]:
    return schema if isinstance(schema, Mapping) else {}
