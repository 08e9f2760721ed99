# SPDX-License-Identifier: Apache-2.0
"""Sections of a TOML file as text: written, and put in the place of one that is there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from dimmer.pipeline.core.stage import Json


def section_text(name: str, keys: Mapping[str, Json]) -> str:
    """A section with its keys, a line each.

    Examples:
        >>> print(section_text("train", {"epochs": 3, "names": ["a"]}), end="")
        [train]
        epochs = 3
        names = ["a"]
    """
    return "\n".join([f"[{name}]", *(f"{key} = {_value(value)}" for key, value in keys.items()), ""])


def with_section(text: str, name: str, keys: Mapping[str, Json]) -> str:
    """A file's text with this section at its end, in place of the one of that name; the others stay byte for byte.

    Args:
        text: TOML, a line each header.
    """
    lines, kept, inside = text.splitlines(keepends=True), [], False
    for line in lines:
        if header := re.match(r"\s*\[+\s*([^\[\]]+?)\s*\]+\s*(#.*)?$", line):
            inside = header[1] == name
        if not inside:
            kept.append(line)
    return f"{''.join(kept).rstrip()}\n\n{section_text(name, keys)}"


def _value(value: Json) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    # A JSON string is one of TOML, too, but for the character that JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
