# SPDX-License-Identifier: Apache-2.0
"""What a class says of itself, for people who write its values into a file."""

from __future__ import annotations

import inspect
import re


def summary(cls: type) -> str:
    """The first paragraph of a class's docstring, in one line; empty without one."""
    return " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())


def attributes(cls: type) -> dict[str, str]:
    """Name -> what the section ``Attributes:`` says of it, in one line, base classes included."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        found.update(_attributes(inspect.cleandoc(vars(base).get("__doc__") or "")))
    return found


def _attributes(docstring: str) -> dict[str, str]:
    _, _, section = docstring.partition("\nAttributes:\n")
    found: dict[str, list[str]] = {}
    name = ""
    for line in section.splitlines():
        if line and not line.startswith(" "):
            break
        if entry := re.match(r" {4}(\w+): (.*)", line):
            name = entry[1]
            found[name] = [entry[2]]
        elif name:
            found[name].append(line.strip())
    return {name: " ".join(" ".join(lines).split()) for name, lines in found.items()}
