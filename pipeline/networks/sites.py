# SPDX-License-Identifier: Apache-2.0
"""Sites by name: where a mode can change within an inference, and which activations lie on a narrow grid.

A site is a tensor that is quantised; `dimmer.pipeline.networks.deployed` says how they are named.
"""

from __future__ import annotations

from dataclasses import dataclass

from dimmer.pipeline.modes.mode import Mode

STEM = "stem"
HEAD = "head"


@dataclass(frozen=True)
class Position:
    """One place of a schedule: the stem, a block, or the head.

    Attributes:
        name: "stem", "S.B" (stage S, block B, from 0) or "head".
        boundary: the site that is alive after it, "stem" or "S.B.out"; None after the head.
    """

    name: str
    boundary: str | None


@dataclass(frozen=True)
class NarrowTensor:
    """An activation on the grid of a narrow width: 2^bits levels over the activations' clip.

    Attributes:
        bits: 4 or 2.
        rounds: the 8-bit site of which it is the rounded copy, a tensor that the converted file does not have; None
            where it is an operator's output, rounded in its place.
    """

    bits: int
    rounds: str | None


def owner_of_range(site: str) -> str:
    """The site whose range another one has: "stem" of "stem/conv", which only pooling separates.

    Examples:
        >>> owner_of_range("stem/conv"), owner_of_range("0.1.out")
        ('stem', '0.1.out')
    """
    return site.partition("/")[0]


def positions(mode: Mode) -> tuple[Position, ...]:
    """The schedule's positions; a skipped block repeats the boundary before it."""
    found = [Position(STEM, STEM)]
    for s, stage in enumerate(mode.blocks):
        for b, bits in enumerate(stage):
            found.append(Position(f"{s}.{b}", f"{s}.{b}.out" if bits else found[-1].boundary))
    return (*found, Position(HEAD, None))


def boundaries(mode: Mode) -> tuple[str, ...]:
    """The site that is alive after each position but the last."""
    return tuple(position.boundary for position in positions(mode) if position.boundary is not None)
