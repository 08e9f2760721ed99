"""The sections of a recipe: what each key means, its default, and what is refused."""

from __future__ import annotations


class InvalidKeyError(Exception):
    """A value that its section refuses; the loader adds file and line."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def _require(condition: bool, key: str, message: str) -> None:
    if not condition:
        raise InvalidKeyError(key, message)
