# SPDX-License-Identifier: Apache-2.0
"""The one exception that this package raises about its input."""

from __future__ import annotations

from dimmer.errors import DimmerError

MAX_MESSAGE = 600


class FirmwareGenError(DimmerError):
    """What is wrong with a model file, where, and what to do about it, in one line.

    Names come from the file, which may be damaged: what cannot be printed is replaced, and very long names are cut.
    """

    def __init__(self, message: str) -> None:
        clean = "".join(char if char.isprintable() else "?" for char in message.replace("\n", " "))
        super().__init__(
            clean if len(clean) <= MAX_MESSAGE else f"{clean[: MAX_MESSAGE // 2]} ... {clean[-MAX_MESSAGE // 2 :]}"
        )
