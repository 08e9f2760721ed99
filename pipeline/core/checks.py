"""Values that a person wrote, refused under the name of their key."""

from __future__ import annotations

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


def require(condition: bool, key: str, reason: str) -> None:
    """Refuse the value of a key.

    Raises:
        InvalidKeyError: the condition does not hold.
    """
    if not condition:
        raise InvalidKeyError(key, reason)
