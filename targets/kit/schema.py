"""Typed access to a TOML file whose every mistake is one line that names file and key."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from dimmer.targets.kit.errors import TargetError


class Table:
    """One table of a TOML file. Each key is taken once; `finish` complains about keys that nobody took."""

    def __init__(self, values: dict[str, Any], where: str) -> None:
        self._values = dict(values)
        self._where = where

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

    def _take(self, key: str, kind: type[Any], what: str, default: Any) -> Any:
        value = self._values.pop(key, default)
        if value is _REQUIRED:
            raise self.fail(f"'{key}' is missing: give it {what}")
        # bool is an int to Python, and not to the author of a TOML file.
        if value is not default and (not isinstance(value, kind) or isinstance(value, bool)):
            raise self.fail(f"'{key}' is {value!r}: give it {what}")
        return value

    def text(self, key: str) -> str:
        """A string."""
        return str(self._take(key, str, "a string", _REQUIRED))

    def optional_text(self, key: str) -> str | None:
        """A string, or None where the key is missing."""
        value = self._take(key, str, "a string", None)
        return None if value is None else str(value)

    def natural(self, key: str) -> int:
        """A whole number that is not negative."""
        value = int(self._take(key, int, "a whole number", _REQUIRED))
        if value < 0:
            raise self.fail(f"'{key}' is {value}: give it a number that is not negative")
        return value

    def positive_real(self, key: str) -> float:
        """A number above 0."""
        value = float(self._take(key, int | float, "a number", _REQUIRED))  # type: ignore[arg-type]
        if not 0 < value < float("inf"):
            raise self.fail(f"'{key}' is {value}: give it a number above 0")
        return value

    def texts(self, key: str, *, required: bool = True) -> tuple[str, ...]:
        """A list of strings; empty where the key is missing and not required."""
        values = self._take(key, list, "a list of strings", _REQUIRED if required else [])
        if not all(isinstance(value, str) for value in values):
            raise self.fail(f"'{key}' is {values!r}: give it a list of strings")
        return tuple(values)

    def text_map(self, key: str) -> dict[str, str]:
        """A table of strings; empty where the key is missing."""
        values = self._take(key, dict, "a table of strings", {})
        if not all(isinstance(value, str) for value in values.values()):
            raise self.fail(f"'{key}' is {values!r}: give it a table of strings")
        return dict(values)

    def table(self, key: str) -> Table:
        """A table within this one."""
        return Table(self._take(key, dict, "a table", _REQUIRED), f"{self._where}: {key}")

    def optional_table(self, key: str) -> Table | None:
        """A table within this one, or None where the key is missing."""
        return self.table(key) if key in self._values else None

    def finish(self) -> None:
        """Raises TargetError where a key was not taken."""
        if self._values:
            raise self.fail(f"unknown key {', '.join(repr(key) for key in sorted(self._values))}: remove or correct it")


_REQUIRED: Any = object()
