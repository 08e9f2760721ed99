# SPDX-License-Identifier: Apache-2.0
"""Blocks and constants that modes have in common are kept once."""

from __future__ import annotations

from pathlib import Path

from dimmer.firmware_gen.lower.steps import Params, Shifts, Weights
from dimmer.firmware_gen.memory.share import ConstantPool, build_block, share_blocks
from dimmer.firmware_gen.read.modes import read_modes
from tests.firmware_gen.modes import write_modes


def test_equal_blocks_of_modes_are_one(tmp_path: Path) -> None:
    blocks = share_blocks(read_modes(write_modes(tmp_path)))
    # Stem and head are common; 800 has a first block of its own and, as 880, leaves others out.
    assert blocks.schedules == ((0, 1, 3, 5, 7), (0, 1, 3, 6, 7), (0, 2, 4, 6, 7))
    assert blocks.positions == (0, 1, 1, 2, 2, 3, 3, 4)
    assert [blocks.modes_of(index) for index in (0, 1, 2, 6)] == [(0, 1, 2), (0, 1), (2,), (1, 2)]


def test_a_block_begins_with_the_boundary_before_it_and_ends_with_the_one_behind(tmp_path: Path) -> None:
    networks = read_modes(write_modes(tmp_path))
    block, skipped = build_block(networks[0], 1), build_block(networks[2], 2)
    assert (block.names[0], block.names[block.output]) == ("stem", "block0")
    assert block.sizes[0] == block.sizes[block.output] == 10 * 10 * 8
    assert block.macs == 2 * 10 * 10 * 8 * 9 * 8
    assert (skipped.steps, skipped.output, skipped.macs) == ((), 0, 0)


def test_equal_constants_are_stored_once_for_all_their_modes() -> None:
    pool = ConstantPool()
    first = pool.add(Weights(b"abcde", (5,)), "weights", "one", (0,))
    second = pool.add(Weights(b"xyz", (3,)), "weights", "two", (0,))
    assert (first, second) == (0, 8)  # each begins at a word
    assert pool.add(Weights(b"abcde", (5,)), "weights", "three", (2, 0)) == first
    assert [(found.layer, found.size, found.modes) for found in pool.constants] == [
        ("one", 5, (0, 2)),
        ("two", 3, (0,)),
    ]
    assert pool.table("weights") == b"abcde\0\0\0xyz\0"


def test_each_kind_of_constant_has_a_table_that_counts_its_own_elements() -> None:
    pool = ConstantPool()
    assert [pool.add(Params((1, -1)), "bias", "a", (0,)), pool.add(Params((5,)), "bias", "b", (0,))] == [0, 2]
    assert [pool.add(Shifts((-3,)), "shifts", "a", (0,)), pool.add(Shifts((4, 4)), "shifts", "b", (0,))] == [0, 1]
    assert pool.table("params") == b"\1\0\0\0\xff\xff\xff\xff\5\0\0\0"
    assert pool.table("shifts") == b"\xfd\4\4"
    assert pool.table("weights") == b""


def test_constants_lie_in_the_order_that_is_given() -> None:
    natural = ConstantPool()
    for text in (b"abcde", b"xyz"):
        natural.add(Weights(text, (len(text),)), "weights", "layer", (0,))
    pool = ConstantPool(tuple(reversed(natural.constants)))
    assert pool.add(Weights(b"abcde", (5,)), "weights", "layer", (1,)) == 4
    assert pool.add(Weights(b"new", (3,)), "weights", "other", (0,)) == 12
    assert pool.table("weights") == b"xyz\0abcde\0\0\0new\0"
    # Modes are those that use it, whoever gave the order.
    assert [constant.modes for constant in pool.constants] == [(), (1,), (0,)]
