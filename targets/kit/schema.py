"""Typed access to a TOML file whose every mistake is one line that names file and key.

A table remembers what it was asked for, so that a JSON Schema of the file can be made from what its reader does.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

from dimmer.targets.kit.errors import TargetError


class Kind(Enum):
    """What a key's value must be; in the words of messages."""

    TEXT = "a string"
    NATURAL = "a whole number"
    POSITIVE = "a number"
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
        default: the text where the key is missing.
        table: that the key holds; None where it holds none, or is missing.
    """

    kind: Kind
    required: bool = True
    choices: tuple[str, ...] = ()
    default: str | None = None
    table: Table | None = None


class Table:
    """One table of a TOML file. Each key is taken once; `finish` complains about keys that nobody took.

    Attributes:
        asked: key -> what was asked of it so far, in order.
    """

    def __init__(self, values: dict[str, Any], where: str) -> None:
        self._values = dict(values)
        self._where = where
        self.asked: dict[str, Asked] = {}

    @classmethod
    def read(cls, path: Path) -> Table:
        """Raises TargetError where the file cannot be read or is not TOML."""
        try:
            return cls(tomllib.loads(path.read_text(encoding="utf-8")), str(path))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise TargetError(f"{path}: {error}") from error

    def fail(self, message: str) -> TargetError:
        """An error that says where in the file it is."""
        return TargetError(f"{self._where}: {message}")

    def _take(self, key: str, asked: Asked, default: Any = None) -> Any:
        self.asked[key] = asked
        if key not in self._values:
            if asked.required:
                raise self.fail(f"'{key}' is missing: give it {asked.kind.value}")
            return default
        value = self._values.pop(key)
        # bool is an int to Python, and not to the author of a TOML file.
        if not isinstance(value, asked.kind.type) or isinstance(value, bool):
            raise self.fail(f"'{key}' is {value!r}: give it {asked.kind.value}")
        return value

    def text(self, key: str) -> str:
        """A string."""
        return str(self._take(key, Asked(Kind.TEXT)))

    def optional_text(self, key: str) -> str | None:
        """A string, or None where the key is missing."""
        value = self._take(key, Asked(Kind.TEXT, required=False))
        return None if value is None else str(value)

    def choice(self, key: str, choices: Sequence[str]) -> str:
        """One of some strings; the first of them where the key is missing."""
        value = str(self._take(key, Asked(Kind.TEXT, False, tuple(choices), choices[0]), choices[0]))
        if value not in choices:
            raise self.fail(f"'{key}' is {value!r}: give it one of {', '.join(choices)}")
        return value

    def natural(self, key: str) -> int:
        """A whole number that is not negative."""
        value = int(self._take(key, Asked(Kind.NATURAL)))
        if value < 0:
            raise self.fail(f"'{key}' is {value}: give it a number that is not negative")
        return value

    def positive_real(self, key: str) -> float:
        """A number above 0."""
        value = float(self._take(key, Asked(Kind.POSITIVE)))
        if not 0 < value < float("inf"):
            raise self.fail(f"'{key}' is {value}: give it a number above 0")
        return value

    def texts(self, key: str, *, required: bool = True) -> tuple[str, ...]:
        """A list of strings; empty where the key is missing and not required."""
        return self._texts(key, Asked(Kind.TEXTS, required))

    def choices(self, key: str, choices: Sequence[str]) -> tuple[str, ...]:
        """A list of some of these strings."""
        values = self._texts(key, Asked(Kind.TEXTS, choices=tuple(choices)))
        unknown = [value for value in values if value not in choices]
        if unknown:
            raise self.fail(f"'{key}' has {unknown[0]!r}: give it some of {', '.join(choices)}")
        return values

    def _texts(self, key: str, asked: Asked) -> tuple[str, ...]:
        values = self._take(key, asked, [])
        if not all(isinstance(value, str) for value in values):
            raise self.fail(f"'{key}' is {values!r}: give it {asked.kind.value}")
        return tuple(values)

    def text_map(self, key: str) -> dict[str, str]:
        """A table of strings; empty where the key is missing."""
        values = self._take(key, Asked(Kind.TEXT_MAP, required=False), {})
        if not all(isinstance(value, str) for value in values.values()):
            raise self.fail(f"'{key}' is {values!r}: give it a table of strings")
        return dict(values)

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
        table = Table(self._take(key, asked), f"{self._where}: {key}")
        self.asked[key] = replace(asked, table=table)
        return table

    def finish(self) -> None:
        """Raises TargetError where a key was not taken."""
        if self._values:
            raise self.fail(f"unknown key {', '.join(repr(key) for key in sorted(self._values))}: remove or correct it")


_TYPES = {
    Kind.TEXT: str,
    Kind.NATURAL: int,
    Kind.POSITIVE: (int, float),
    Kind.TEXTS: list,
    Kind.TEXT_MAP: dict,
    Kind.TABLE: dict,
}
