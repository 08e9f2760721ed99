# SPDX-License-Identifier: Apache-2.0
"""Regions of memory, and what is refused of them."""

from __future__ import annotations

import tomllib

import pytest

from dimmer.targets import TargetError
from dimmer.targets.kit.memory import Memory, Region, memory_of
from dimmer.targets.kit.schema import Table
from dimmer.toml import Lines

GOOD = """
flash = { origin = 0x08000000, size = 0x10000 }
ram = { origin = 0x20000000, size = 0x1000 }
arena = { origin = 0x24000000, size = 0x8000 }
"""


def read(text: str, cortex_m: bool = True) -> Memory:
    from pathlib import Path

    found = memory_of(Table(tomllib.loads(text), Lines(Path("target.toml"), text), ("memory",)), cortex_m)
    assert found is not None
    return found


def test_an_arena_in_a_region_of_its_own() -> None:
    memory = read(GOOD)
    assert memory.symbols["DIMMER_ARENA_ORIGIN"] == 0x24000000
    assert memory.defines == {"DIMMER_ARENA_SECTION": '".dimmer_arena"'}
    assert memory.lacks(0x8000, 0x1000) == 0
    assert memory.lacks(0x8001, 0x1000) == 1
    assert memory.lacks(0x8000, 0x1003) == 3


def test_an_arena_in_ram() -> None:
    memory = Memory(Region(0, 100), Region(0x20000000, 100))
    assert memory.defines == {}
    assert memory.symbols["DIMMER_ARENA_SIZE"] == 0
    assert (memory.lacks(60, 40), memory.lacks(60, 45)) == (0, 5)


def test_weights_in_a_region_of_their_own() -> None:
    memory = read(GOOD + "weights = { origin = 0x90000000, size = 0x4000 }")
    assert memory.symbols["DIMMER_WEIGHTS_ORIGIN"] == 0x90000000
    assert memory.defines["DIMMER_WEIGHTS_SECTION"] == '".dimmer_weights"'
    assert memory.apart == (".dimmer_weights",)
    assert memory.kept == 0x14000
    assert memory.lacks_flash(0x4000, 0x10000) == 0
    assert memory.lacks_flash(0x4001, 0x10002) == 3
    assert memory.lacks_flash(0, 0x10003) == 3


def test_weights_in_the_flash() -> None:
    memory = read(GOOD)
    assert (memory.apart, memory.kept, memory.symbols["DIMMER_WEIGHTS_SIZE"]) == ((), 0x10000, 0)
    assert (memory.lacks_flash(0xF000, 0x1000), memory.lacks_flash(0xF000, 0x1004)) == (0, 4)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0x24000000", "0x20000800", "memory: 'arena' and 'ram' have addresses in common, from 0x20000800 on"),
        ("0x08000000", "0x08000100", "'flash' begins at 0x8000100: the vector table needs a multiple of 512"),
        ("0x20000000", "0x20000008", "'ram' begins at 0x20000008: arena and stack need a multiple of 16"),
        ("arena = ", "stack = 4104\narena = ", "'stack' is 4104: 'ram' has 4096 bytes in all"),
        ("size = 0x8000", "size = 0", "memory: arena: the region is empty"),
        ("arena = ", "area = ", "unknown key 'area'"),
        (
            "arena = ",
            "weights = { origin = 0x0800F000, size = 0x2000 }\narena = ",
            "'weights' and 'flash' have addresses in common, from 0x800f000 on",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_key(old: str, new: str, message: str) -> None:
    with pytest.raises(TargetError, match=message):
        read(GOOD.replace(old, new))


def test_a_program_without_a_vector_table_may_begin_anywhere() -> None:
    assert read(GOOD.replace("0x08000000", "0x08000100"), cortex_m=False).flash.origin == 0x08000100
