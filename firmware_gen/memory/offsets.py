# SPDX-License-Identifier: Apache-2.0
"""Offsets in one arena for buffers that are not all live at once.

Time is a row of steps; a buffer is live in a set of them (a bit mask), and two buffers may share bytes unless they are
live in the same step. The problem is dynamic storage allocation, NP-hard in general; first-fit over several orders and
a seeded local search reach the lower bound on every network seen so far, and the plan tells how far from it it is.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

ALIGN = 16
SEARCH_ROUNDS = 400
SEARCH_WORK = 2_000_000


@dataclass(frozen=True, slots=True)
class Item:
    """A buffer to place.

    Attributes:
        size: bytes, more than 0.
        live: bit t is set where the buffer is live in step t.
    """

    size: int
    live: int


@dataclass(frozen=True, slots=True)
class Placement:
    """Where every item lies.

    Attributes:
        offsets: bytes, multiples of ALIGN, one per item.
        arena: bytes needed.
        lower_bound: bytes live at once in the worst step; no placement needs less.
    """

    offsets: tuple[int, ...]
    arena: int
    lower_bound: int


def aligned(size: int) -> int:
    """`size` rounded up to a multiple of ALIGN."""
    return -(-size // ALIGN) * ALIGN


def lower_bound(items: Sequence[Item]) -> int:
    """The most bytes that are live at once."""
    steps = max((item.live.bit_length() for item in items), default=0)
    live = [0] * steps
    for item in items:
        mask = item.live
        while mask:
            low = mask & -mask
            live[low.bit_length() - 1] += aligned(item.size)
            mask ^= low
    return max(live, default=0)


def place(items: Sequence[Item], seed: int = 0) -> Placement:
    """Places all items so that none that are live together overlap, in as small an arena as the search finds."""
    bound = lower_bound(items)
    conflicts = [
        [other for other in range(len(items)) if other != index and items[other].live & items[index].live]
        for index in range(len(items))
    ]
    best: tuple[int, list[int]] | None = None
    best_order: list[int] = []
    for order in _orders(items):
        found = _first_fit(items, conflicts, order)
        if best is None or found[0] < best[0]:
            best, best_order = found, order
        if best[0] <= bound:
            break
    if best is None:
        return Placement((), 0, 0)
    if best[0] > bound:
        best = _search(items, conflicts, best, best_order, bound, seed)
    return Placement(tuple(best[1]), best[0], bound)


def _orders(items: Sequence[Item]) -> list[list[int]]:
    indexes = range(len(items))
    size = [aligned(item.size) for item in items]
    first = [(item.live & -item.live).bit_length() for item in items]
    length = [item.live.bit_count() for item in items]
    return [
        sorted(indexes, key=lambda i: (-size[i], first[i], i)),
        sorted(indexes, key=lambda i: (-size[i], -length[i], first[i], i)),
        sorted(indexes, key=lambda i: (-length[i], -size[i], first[i], i)),
        sorted(indexes, key=lambda i: (-size[i] * length[i], first[i], i)),
        sorted(indexes, key=lambda i: (first[i], -length[i], -size[i], i)),
        sorted(indexes, key=lambda i: (-first[i], -length[i], -size[i], i)),
    ]


def _first_fit(
    items: Sequence[Item], conflicts: Sequence[Sequence[int]], order: Sequence[int]
) -> tuple[int, list[int]]:
    offsets = [-1] * len(items)
    arena = 0
    for index in order:
        taken = sorted(
            (offsets[other], offsets[other] + aligned(items[other].size))
            for other in conflicts[index]
            if offsets[other] >= 0
        )
        size = aligned(items[index].size)
        start = 0
        for low, high in taken:
            if low - start >= size:
                break
            start = max(start, high)
        offsets[index] = start
        arena = max(arena, start + size)
    return arena, offsets


def _search(
    items: Sequence[Item],
    conflicts: Sequence[Sequence[int]],
    best: tuple[int, list[int]],
    best_order: list[int],
    bound: int,
    seed: int,
) -> tuple[int, list[int]]:
    """Local search over orders: what sticks out at the top moves to the front, and now and then two neighbours swap."""
    chance = random.Random(seed)
    work = 1 + len(items) + sum(len(others) for others in conflicts)
    current, order = best, list(best_order)
    for _ in range(min(SEARCH_ROUNDS, SEARCH_WORK // work)):
        trial = list(order)
        top = [i for i in trial if current[1][i] + aligned(items[i].size) == current[0]]
        moved = chance.choice(top) if chance.random() < 0.6 else chance.choice(trial)
        trial.remove(moved)
        trial.insert(chance.randrange(len(trial) + 1) if chance.random() < 0.5 else 0, moved)
        found = _first_fit(items, conflicts, trial)
        if found[0] <= current[0] or chance.random() < 0.05:
            current, order = found, trial
        if found[0] < best[0]:
            best = found
            if best[0] <= bound:
                break
    return best
