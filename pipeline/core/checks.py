"""Values that a person wrote, refused under the name of their key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dimmer.errors import DimmerError


class InvalidKeyError(DimmerError):
    """A value that is refused; whoever read it from a file adds file and line.

    Attributes:
        key: its name.
        reason: "must be ...".
    """

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key} {reason}")
        self.key = key
        self.reason = reason


@dataclass(frozen=True)
class OneOf:
    """Beside the type of a field, ``Annotated[str, OneOf(NAMES)]``: what its `require` accepts, for the JSON Schema.

    Attributes:
        choices: the values, of a list those of its entries; or a function that knows them.
    """

    choices: tuple[str | int, ...] | Callable[[], tuple[str | int, ...]]

    def values(self) -> tuple[str | int, ...]:
        """All values."""
        return self.choices() if callable(self.choices) else self.choices


def require(condition: bool, key: str, reason: str) -> None:
    """Refuse the value of a key.

    Raises:
        InvalidKeyError: the condition does not hold.
    """
    if not condition:
        raise InvalidKeyError(key, reason)
