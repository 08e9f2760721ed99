"""Typed access to a TOML file whose every mistake is one line that names file and key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dimmer.errors import DimmerError
from dimmer.targets.kit.errors import TargetError
from dimmer.toml import Lines, plain, read_toml, shown

LONGEST_TEXT, MOST_TEXTS = 4096, 1000


class Table:
    """One table of a TOML file. Each key is taken once; `finish` complains about keys that nobody took."""

    def __init__(self, values: dict[str, Any], lines: Lines, section: tuple[str, ...] = ()) -> None:
        self._values = dict(values)
        self._lines = lines
        self._section = section

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

    def _take(self, key: str, kind: type[Any], what: str, default: Any) -> Any:
        value = self._values.pop(key, default)
        if value is _REQUIRED:
            raise self.fail(f"'{key}' is missing: give it {what}", key)
        # bool is an int to Python, and not to the author of a TOML file.
        if value is not default and (not isinstance(value, kind) or isinstance(value, bool)):
            raise self.fail(f"'{key}' is {shown(value)}: give it {what}", key)
        return value

    def _line(self, key: str, text: str) -> str:
        """A text that can be a name, a path or a word of a command."""
        if len(text) > LONGEST_TEXT or not text.isprintable():
            raise self.fail(f"'{key}' has {shown(text)}: give it one line, of at most {LONGEST_TEXT:,} letters", key)
        return text

    def text(self, key: str) -> str:
        """A string of one line."""
        return self._line(key, self._take(key, str, "a string", _REQUIRED))

    def optional_text(self, key: str) -> str | None:
        """A string of one line, or None where the key is missing."""
        value = self._take(key, str, "a string", None)
        return None if value is None else self._line(key, value)

    def natural(self, key: str, most: int = 0xFFFF_FFFF) -> int:
        """A whole number from 0 on."""
        value = int(self._take(key, int, "a whole number", _REQUIRED))
        if value < 0:
            raise self.fail(f"'{key}' is {shown(value)}: give it a number that is not negative", key)
        if value > most:
            raise self.fail(f"'{key}' is {shown(value)}: give it at most {most:,}", key)
        return value

    def positive_real(self, key: str, most: float = 1e9) -> float:
        """A number above 0."""
        value = self._take(key, int | float, "a number", _REQUIRED)  # type: ignore[arg-type]
        if not 0 < value <= most:
            raise self.fail(f"'{key}' is {shown(value)}: give it a number above 0 and up to {most:,g}", key)
        return float(value)

    def texts(self, key: str, *, required: bool = True) -> tuple[str, ...]:
        """A list of strings; empty where the key is missing and not required."""
        values = self._take(key, list, "a list of strings", _REQUIRED if required else [])
        if not all(isinstance(value, str) for value in values):
            raise self.fail(f"'{key}' is {shown(values)}: give it a list of strings", key)
        if len(values) > MOST_TEXTS:
            raise self.fail(f"'{key}' has {len(values):,} entries: give it at most {MOST_TEXTS:,}", key)
        return tuple(self._line(key, value) for value in values)

    def text_map(self, key: str) -> dict[str, str]:
        """A table of strings; empty where the key is missing."""
        values = self._take(key, dict, "a table of strings", {})
        if not all(isinstance(value, str) for value in values.values()):
            raise self.fail(f"'{key}' is {shown(values)}: give it a table of strings", key)
        return {self._line(key, name): self._line(key, value) for name, value in values.items()}

    def table(self, key: str) -> Table:
        """A table within this one."""
        return Table(self._take(key, dict, "a table", _REQUIRED), self._lines, (*self._section, key))

    def optional_table(self, key: str) -> Table | None:
        """A table within this one, or None where the key is missing."""
        return self.table(key) if key in self._values else None

    def finish(self) -> None:
        """Raises TargetError where a key was not taken."""
        if self._values:
            first = min(self._values)
            unknown = plain(", ".join(repr(key) for key in sorted(self._values)))
            raise self.fail(f"unknown key {unknown}: remove or correct it", first)


_REQUIRED: Any = object()
