# SPDX-License-Identifier: Apache-2.0
"""Typed access to a TOML file whose every mistake is one line that names file and key.

A table remembers what it was asked for, so that a JSON Schema of the file can be made from what its reader does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

from dimmer.errors import DimmerError
from dimmer.targets.kit.errors import TargetError
from dimmer.toml import Lines, plain, read_toml, shown

LONGEST_TEXT, MOST_TEXTS = 4096, 1000


class Kind(Enum):
    """What a key's value must be; in the words of messages."""

    TEXT = "a string"
    NATURAL = "a whole number"
    POSITIVE = "a number"
    NUMBER = "a number or 0"
    TEXTS = "a list of strings"
    TEXT_MAP = "a table of strings"
    TABLE = "a table"

    @property
    def type(self) -> Any:
        """In Python."""
        return _TYPES[self]


@dataclass(frozen=True)
class Asked:
    """What a reader asked of one key.

    Attributes:
        choices: the only texts that may stand there; empty for any.
        default: the text or the number where the key is missing.
        table: that the key holds; None where it holds none, or is missing.
    """

    kind: Kind
    required: bool = True
    choices: tuple[str, ...] = ()
    default: str | int | None = None
    table: Table | None = None


class Table:
    """One table of a TOML file. Each key is taken once; `finish` complains about keys that nobody took.

    Attributes:
        asked: key -> what was asked of it so far, in order.
    """

    def __init__(self, values: dict[str, Any], lines: Lines, section: tuple[str, ...] = ()) -> None:
        self._values = dict(values)
        self._lines = lines
        self._section = section
        self.asked: dict[str, Asked] = {}

    @classmethod
    def read(cls, path: Path) -> Table:
        """Raises TargetError where the file cannot be read or is not TOML."""
        try:
            return cls(*read_toml(path))
        except DimmerError as error:
            raise TargetError(str(error)) from error

    def fail(self, message: str, key: str = "") -> TargetError:
        """An error that says where in the file it is."""
        within = f"{': '.join(self._section)}: " if self._section else ""
        return TargetError(f"{self._lines.at(self._section, key)}: {within}{message}")

    def _take(self, key: str, asked: Asked, default: Any = None) -> Any:
        self.asked[key] = asked
        if key not in self._values:
            if asked.required:
                raise self.fail(f"'{key}' is missing: give it {asked.kind.value}", key)
            return default
        value = self._values.pop(key)
        # bool is an int to Python, and not to the author of a TOML file.
        if not isinstance(value, asked.kind.type) or isinstance(value, bool):
            raise self.fail(f"'{key}' is {shown(value)}: give it {asked.kind.value}", key)
        return value

    def _line(self, key: str, text: str) -> str:
        """A text that can be a name, a path or a word of a command."""
        if len(text) > LONGEST_TEXT or not text.isprintable():
            raise self.fail(f"'{key}' has {shown(text)}: give it one line, of at most {LONGEST_TEXT:,} letters", key)
        return text

    def text(self, key: str) -> str:
        """A string of one line."""
        return self._line(key, self._take(key, Asked(Kind.TEXT)))

    def optional_text(self, key: str) -> str | None:
        """A string of one line, or None where the key is missing."""
        value = self._take(key, Asked(Kind.TEXT, required=False))
        return None if value is None else self._line(key, value)

    def choice(self, key: str, choices: Sequence[str], *, required: bool = False) -> str:
        """One of some strings; the first of them where the key is missing and not required."""
        default = None if required else choices[0]
        value = str(self._take(key, Asked(Kind.TEXT, required, tuple(choices), default), default))
        if value not in choices:
            raise self.fail(f"'{key}' is {shown(value)}: give it one of {', '.join(choices)}", key)
        return value

    def optional_choice(self, key: str, choices: Sequence[str]) -> str | None:
        """One of some strings, or None where the key is missing."""
        value = self._take(key, Asked(Kind.TEXT, False, tuple(choices)))
        if value is not None and value not in choices:
            raise self.fail(f"'{key}' is {shown(value)}: give it one of {', '.join(choices)}", key)
        return None if value is None else str(value)

    def natural(self, key: str, most: int = 0xFFFF_FFFF, *, default: int | None = None) -> int:
        """A whole number from 0 on; `default` where the key is missing and one is given."""
        return self._natural(key, most, Asked(Kind.NATURAL, default is None, default=default))

    def _natural(self, key: str, most: int, asked: Asked) -> int:
        value = int(self._take(key, asked, asked.default))
        if value < 0:
            raise self.fail(f"'{key}' is {shown(value)}: give it a number that is not negative", key)
        if value > most:
            raise self.fail(f"'{key}' is {shown(value)}: give it at most {most:,}", key)
        return value

    def optional_natural(self, key: str, most: int = 0xFFFF_FFFF) -> int | None:
        """A whole number from 0 on, or None where the key is missing."""
        if key in self._values:
            return self._natural(key, most, Asked(Kind.NATURAL, required=False))
        self.asked[key] = Asked(Kind.NATURAL, required=False)
        return None

    def positive_real(self, key: str, most: float = 1e9, *, required: bool = True) -> float:
        """A number above 0."""
        value = self._take(key, Asked(Kind.POSITIVE, required))
        if not 0 < value <= most:
            raise self.fail(f"'{key}' is {shown(value)}: give it a number above 0 and up to {most:,g}", key)
        return float(value)

    def real(self, key: str, least: float, most: float) -> float:
        """A number within bounds."""
        value = self._take(key, Asked(Kind.NUMBER))
        if not least <= value <= most:
            limits = f"from {least:g} to {most:,g}" if least in (0, 1) else f"above 0 and up to {most:,g}"
            raise self.fail(f"'{key}' is {shown(value)}: give it a number {limits}", key)
        return float(value)

    def optional_positive_real(self, key: str, most: float = 1e9) -> float | None:
        """A number above 0, or None where the key is missing."""
        if key in self._values:
            return self.positive_real(key, most, required=False)
        self.asked[key] = Asked(Kind.POSITIVE, required=False)
        return None

    def texts(self, key: str, *, required: bool = True) -> tuple[str, ...]:
        """A list of strings; empty where the key is missing and not required."""
        return self._texts(key, Asked(Kind.TEXTS, required))

    def choices(self, key: str, choices: Sequence[str]) -> tuple[str, ...]:
        """A list of some of these strings."""
        values = self._texts(key, Asked(Kind.TEXTS, choices=tuple(choices)))
        unknown = [value for value in values if value not in choices]
        if unknown:
            raise self.fail(f"'{key}' has {shown(unknown[0])}: give it some of {', '.join(choices)}", key)
        return values

    def _texts(self, key: str, asked: Asked) -> tuple[str, ...]:
        values = self._take(key, asked, [])
        if not all(isinstance(value, str) for value in values):
            raise self.fail(f"'{key}' is {shown(values)}: give it {asked.kind.value}", key)
        if len(values) > MOST_TEXTS:
            raise self.fail(f"'{key}' has {len(values):,} entries: give it at most {MOST_TEXTS:,}", key)
        return tuple(self._line(key, value) for value in values)

    def text_map(self, key: str) -> dict[str, str]:
        """A table of strings; empty where the key is missing."""
        values = self._take(key, Asked(Kind.TEXT_MAP, required=False), {})
        if not all(isinstance(value, str) for value in values.values()):
            raise self.fail(f"'{key}' is {shown(values)}: give it a table of strings", key)
        return {self._line(key, name): self._line(key, value) for name, value in values.items()}

    def table(self, key: str) -> Table:
        """A table within this one."""
        return self._table(key, required=True)

    def optional_table(self, key: str) -> Table | None:
        """A table within this one, or None where the key is missing."""
        if key in self._values:
            return self._table(key, required=False)
        self.asked[key] = Asked(Kind.TABLE, required=False)
        return None

    def _table(self, key: str, required: bool) -> Table:
        asked = Asked(Kind.TABLE, required)
        table = Table(self._take(key, asked), self._lines, (*self._section, key))
        self.asked[key] = replace(asked, table=table)
        return table

    def finish(self) -> None:
        """Raises TargetError where a key was not taken."""
        if self._values:
            first = min(self._values)
            unknown = plain(", ".join(repr(key) for key in sorted(self._values)))
            raise self.fail(f"unknown key {unknown}: remove or correct it", first)


_TYPES = {
    Kind.TEXT: str,
    Kind.NATURAL: int,
    Kind.POSITIVE: (int, float),
    Kind.NUMBER: (int, float),
    Kind.TEXTS: list,
    Kind.TEXT_MAP: dict,
    Kind.TABLE: dict,
}
