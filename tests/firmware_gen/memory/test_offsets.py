# SPDX-License-Identifier: Apache-2.0
"""Offsets: buffers that are live together never overlap, and the arena is close to what no planner can beat."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from dimmer.firmware_gen.memory.offsets import ALIGN, Item, aligned, place

STEPS = 24


@st.composite
def items(draw: st.DrawFn) -> list[Item]:
    count = draw(st.integers(1, 25))
    found = []
    for _ in range(count):
        first = draw(st.integers(0, STEPS - 1))
        last = draw(st.integers(first, min(first + 6, STEPS - 1)))
        live = sum(1 << step for step in range(first, last + 1))
        if draw(st.booleans()):
            live |= 1 << draw(st.integers(0, STEPS - 1))
        found.append(Item(draw(st.integers(1, 5000)), live))
    return found


@given(items())
@settings(max_examples=150, deadline=None)
def test_no_two_live_buffers_overlap(found: list[Item]) -> None:
    placement = place(found)
    for index, (item, offset) in enumerate(zip(found, placement.offsets, strict=True)):
        assert offset % ALIGN == 0
        assert offset + item.size <= placement.arena
        for other, at in zip(found[:index], placement.offsets[:index], strict=True):
            if item.live & other.live:
                assert offset + item.size <= at or at + other.size <= offset


@given(items())
@settings(max_examples=150, deadline=None)
def test_arena_lies_between_the_lower_bound_and_the_sum(found: list[Item]) -> None:
    placement = place(found)
    bound = max(sum(aligned(item.size) for item in found if item.live >> step & 1) for step in range(STEPS))
    assert placement.lower_bound == bound
    assert bound <= placement.arena <= sum(aligned(item.size) for item in found)


def heaviest_conflict(found: list[Item], least: int = 0) -> int:
    """Bytes of the largest set of buffers of which each two are alive in one step, if not all of them in the same.

    Args:
        least: smaller sets are not looked for.
    """
    sizes = [aligned(item.size) for item in found]
    for index, item in enumerate(found):
        if sum(sizes[index:]) <= least:
            break
        others = [other for other in found[index + 1 :] if other.live & item.live]
        least = max(least, sizes[index] + heaviest_conflict(others, least - sizes[index]))
    return max(least, 0)


@given(items())
@settings(max_examples=100, deadline=None)
def test_the_search_is_close_to_what_is_possible(found: list[Item]) -> None:
    # Dynamic storage allocation cannot always reach this bound; random instances come within a third of it.
    placement = place(found)
    assert placement.arena <= heaviest_conflict(found, placement.lower_bound) * 4 / 3 + ALIGN


@given(items())
@settings(max_examples=20, deadline=None)
def test_the_same_plan_twice(found: list[Item]) -> None:
    assert place(found) == place(found)


def test_nothing_to_place() -> None:
    assert place([]).arena == 0
