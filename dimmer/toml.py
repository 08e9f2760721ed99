# SPDX-License-Identifier: Apache-2.0
"""TOML files that a person wrote: read whole or refused in one line, with the line of every key."""

from __future__ import annotations

import itertools
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

from dimmer.errors import DimmerError

LARGEST = 1 << 18
"""Bytes of a file; nobody writes a longer one by hand."""

_SHOWN = 60


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
            elif header := re.match(r"\s*\[\[([^\[\]]+)\]\]\s*(#.*)?$", line):
                name = tuple(part.strip().strip("\"'") for part in header[1].split("."))
                self._lines.setdefault(name, number)
                # The tables of a list are called by their numbers, from 1.
                section = next((*name, str(n)) for n in itertools.count(1) if (*name, str(n)) not in self._lines)
                self._lines[section] = number
            elif key := re.match(r"\s*([A-Za-z0-9_.\"'-]+)\s*=", line):
                self._lines.setdefault((*section, *key[1].replace('"', "").replace("'", "").split(".")), number)

    def at(self, section: tuple[str, ...], key: str = "") -> str:
        """``file, line 12``, or that of the nearest section around it where the key is missing."""
        place = (*section, key)
        while place:
            if place in self._lines:
                return f"{self._path}, line {self._lines[place]}"
            place = place[:-1]
        return str(self._path)


def read_toml(path: Path) -> tuple[dict[str, Any], Lines]:
    """The content of a TOML file, and where its keys stand.

    Raises:
        DimmerError: it cannot be read, is too large, no UTF-8 or no TOML; the message names file and line.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise DimmerError(f"{path} is no file; name one")
        if found.st_size > LARGEST:
            raise DimmerError(
                f"{path} has {found.st_size:,} bytes, at most {LARGEST:,}; is it the file that you meant?"
            )
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise DimmerError(f"{path} cannot be read: {error}") from error
    try:
        # Some editors begin a file with a byte-order mark.
        text = content.decode("utf-8-sig")
        return tomllib.loads(text), Lines(path, text)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DimmerError(
            f"{path}, line {line}: not UTF-8 (byte {content[error.start]:#04x}); save it as UTF-8"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise DimmerError(f"{path}: not valid TOML: {plain(str(error))}") from error
    except RecursionError as error:
        raise DimmerError(f"{path}: not valid TOML: brackets are nested too deeply") from error
    except ValueError as error:
        # A number of thousands of digits, a date that the calendar lacks.
        raise DimmerError(f"{path}: not valid TOML: a value cannot be read ({plain(str(error))})") from error


def shown(value: object) -> str:
    """A value in a message: short, and without what a terminal would obey."""
    try:
        return plain(repr(value), _SHOWN)
    except (ValueError, RecursionError):
        # Whole numbers of thousands of digits are not even printed.
        return "a value that is too long to show"


def plain(text: str, most: int = 200) -> str:
    """A text in a message, as `shown`, without quotes."""
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text if len(text) <= most else f"{text[: most - 3]}..."
