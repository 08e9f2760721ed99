# SPDX-License-Identifier: Apache-2.0
"""A C header with a comment over each declaration -> a page of the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

KINDS = ("macro", "type", "function")
_TITLES = {"macro": "Constants", "type": "Types", "function": "Functions"}


@dataclass(frozen=True)
class Entry:
    """Declarations under one comment.

    Attributes:
        kind: "macro", "type" or "function".
        names: what is declared.
        text: the comment, its lines as they stand.
        code: the declarations.
    """

    kind: str
    names: tuple[str, ...]
    text: str
    code: str


def entries(header: str) -> tuple[Entry, ...]:
    """Everything that a header declares, in its order; include guards, includes and ``extern "C"`` left out."""
    return tuple(entry for chunk in _chunks(header) for entry in _entry(chunk))


def _chunks(header: str) -> Iterator[str]:
    """Runs of lines between blank ones, a definition in braces whole."""
    lines: list[str] = []
    depth = 0
    for line in header.splitlines():
        depth += line.count("{") - line.count("}") if not line.startswith('extern "C"') and line != "}" else 0
        if line.strip() or depth:
            lines.append(line)
        elif lines:
            yield "\n".join(lines)
            lines = []
    if lines:
        yield "\n".join(lines)


def _entry(chunk: str) -> Iterator[Entry]:
    text = ""
    if match := re.match(r"/\*(.*?)\*/\n?", chunk, re.DOTALL):
        text = re.sub(r"\n \* ?", "\n", match[1]).strip()
        chunk = chunk[match.end() :]
    # A guard is defined as nothing.
    code = "\n".join(line for line in chunk.splitlines() if not re.match(r"#(?!define \w+\(?.* )", line))
    if macros := re.findall(r"^#define (\w+)", code, re.MULTILINE):
        yield Entry("macro", tuple(macros), text, code)
    elif types := _types(code):
        yield Entry("type", types, text, code)
    elif functions := re.findall(r"(\w+)\([^()]*(?:\([^()]*\))*[^()]*\);", code):
        yield Entry("function", tuple(functions), text, code)


def _types(code: str) -> tuple[str, ...]:
    names = re.findall(r"^\} (\w+);", code, re.MULTILINE)
    names += re.findall(r"^typedef [^{]*?\(\*(\w+)\)", code, re.MULTILINE)
    names += re.findall(r"^typedef [\w ]+ (\w+);", code, re.MULTILINE)
    names += re.findall(r"^struct (\w+) \{", code, re.MULTILINE)
    return tuple(names)


def page(header: str, name: str) -> str:
    """The page of a header: constants, types and functions, each with its comment and its C."""
    header = re.sub(r"\A/\* SPDX-[^\n]*\n", "", header)
    overview = re.match(r"/\*(.*?)\*/", header, re.DOTALL)
    lines = [f"# {name}", ""]
    if overview:
        lines += [_prose(re.sub(r"\n \* ?", "\n", overview[1]).strip()), ""]
    found = entries(header)
    for kind in KINDS:
        lines += [f"## {_TITLES[kind]}", ""]
        for entry in found:
            if entry.kind == kind:
                lines += [f"### {', '.join(entry.names)}", ""]
                lines += [_prose(entry.text), ""] if entry.text else []
                lines += ["```c", entry.code, "```", ""]
    return "\n".join(lines)


def _prose(text: str) -> str:
    """A comment as Markdown: names of the library are code, nothing is emphasis by chance."""
    text = re.sub(r"([*<>_\[\]])", r"\\\1", text)
    return re.sub(
        r"\b(?:dimmer|DIMMER)(?:\\?_\w+?)+\b(?:\\_\w+)*(?:\(\))?", lambda m: f"`{m[0].replace(chr(92), '')}`", text
    )
