# SPDX-License-Identifier: Apache-2.0
"""How a long step tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float], None]
"""Called with what is being done and the share done, 0..1."""

Tell = Callable[[float], None]
"""Called with the share done alone."""


def part(progress: Progress, start: float, end: float) -> Progress:
    """The progress of one step among others, which goes from one share of the whole to another."""
    return lambda text, share: progress(text, start + (end - start) * share)
