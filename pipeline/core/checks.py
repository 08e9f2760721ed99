# SPDX-License-Identifier: Apache-2.0
"""Values that a person wrote, refused under the name of their key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dimmer.errors import DimmerError

MOST_EPOCHS, MOST_BATCH, MOST_IMAGES, MOST_LR, MOST_CHANNELS = 100_000, 65_536, 100_000_000, 100, 8192
"""What nobody trains with more of; a number over these is a slip of the hand."""


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


def bounded(value: float, low: float, high: float, key: str, *, over: bool = False) -> None:
    """Refuse a number outside its bounds; infinities and NaN are outside any.

    Args:
        over: whether the low bound itself is outside.

    Raises:
        InvalidKeyError: it is.
    """
    inside = low < value <= high if over else low <= value <= high
    require(inside, key, f"must be {f'over {low:g} and at most' if over else f'{_plain(low)} to'} {_plain(high)}")


def _plain(bound: float) -> str:
    return str(bound) if isinstance(bound, int) else f"{bound:g}"


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
