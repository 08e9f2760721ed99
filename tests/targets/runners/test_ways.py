# SPDX-License-Identifier: Apache-2.0
"""[flash] of target.toml, and which of its ways is taken."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from dimmer.targets import TargetError, load_target
from dimmer.targets.kit.schema import Table
from dimmer.targets.runners.flasher import Flasher
from dimmer.targets.runners.ways import choose, ways_of
from dimmer.toml import Lines
from tests.boards import REAL_BOARDS


def read(text: str, core: str = "cortex-m4") -> tuple[Flasher, ...]:
    return ways_of(Table(tomllib.loads(text), Lines(Path("target.toml"), text), ("flash",)), core).each


@pytest.mark.parametrize("name", REAL_BOARDS)
def test_every_board_can_be_flashed(name: str) -> None:
    assert load_target(name).flash.each


def test_the_first_whose_tool_is_here_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    ways = load_target("nucleo-f446re").flash.each
    assert [way.tool for way in ways] == ["pyocd", "openocd", "stflash"]
    monkeypatch.setattr("shutil.which", lambda name: name if name == "st-flash" else None)
    assert choose("x", ways, None).tool == "stflash"
    monkeypatch.setattr("shutil.which", lambda _name: None)
    assert choose("x", ways, None).tool == "pyocd"
    assert choose("x", ways, "openocd").tool == "openocd"
    with pytest.raises(TargetError, match="x has no way uf2: name one of pyocd, openocd, stflash with --tool"):
        choose("x", ways, "uf2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "flash: there is no way: give it a table of uf2, esptool, pyocd, openocd, stflash, gdb"),
        ("[jtag]\n", "unknown key 'jtag'"),
        ("[pyocd]\n", "flash: pyocd: 'chip' is missing"),
        ('[pyocd]\nchip = "x"\nchips = 1', "flash: pyocd: unknown key 'chips'"),
        ("[openocd]\nconfig = []\n", "'config' is empty"),
        ("[uf2]\nnumber = 1\n", "'board' is missing"),
    ],
)
def test_a_mistake_names_its_key(text: str, message: str) -> None:
    with pytest.raises(TargetError, match=message):
        read(text)


def test_a_tool_that_knows_no_such_core_is_refused_with_its_key() -> None:
    with pytest.raises(TargetError, match=r"'esptool' writes no chip with a core cortex-m4: take another way"):
        read('[esptool]\nchip = "esp32c3"\n')
    with pytest.raises(TargetError, match="'chip' is 'esp8266': give it one of esp32c3"):
        read('[esptool]\nchip = "esp8266"\n', "rv32imc")
    for text in ('[pyocd]\nchip = "gd32vf103"\n', "[stflash]\n", "[bossac]\n"):
        with pytest.raises(TargetError, match="writes no chip with a core rv32imac"):
            read(text, "rv32imac")
