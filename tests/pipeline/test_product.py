# SPDX-License-Identifier: Apache-2.0
"""The product example on boards' twins: nobody calls it, and it says what it does while its battery empties."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.plan import PlanConfig, Point
from dimmer.pipeline import product
from dimmer.pipeline.product import compile_product
from dimmer.pipeline.reporting.live.sources import emulated
from dimmer.targets import load_target
from dimmer.targets.runners.command import TWIN
from dimmer.targets.runners.image import image_of
from tests.boards import REAL_BOARDS
from tests.examples.test_examples import write_build

# Each look finds 100 mV less, from a full cell on.
FALLING = """
#include "board.h"
uint32_t board_millivolts(void) { static uint32_t looks; return 4300u - 100u * ++looks; }
"""

WAIT_FOR_INTERRUPT = bytes.fromhex("73005010")
"""As a RISC-V core reads it."""


def lines(target: str, elf: Path, count: int, folder: Path) -> list[dict[str, object]]:
    """The first lines that a board says by itself."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "line"))
        server.listen(1)
        words = [str(load_target(target).folder / "target.toml"), str(elf), str(folder / "line")]
        with subprocess.Popen([sys.executable, "-m", TWIN, *words]) as board:
            try:
                line, _ = server.accept()
                line.settimeout(60)
                with line, line.makefile("r") as text:
                    return [json.loads(text.readline()) for _ in range(count)]
            finally:
                board.kill()


def code_of(elf: Path, function: str) -> bytes:
    """The machine code of a function."""
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import SymbolTableSection

    with elf.open("rb") as stream:
        file = ELFFile(stream)
        table, text = file.get_section_by_name(".symtab"), file.get_section_by_name(".text")
        assert isinstance(table, SymbolTableSection)
        assert text is not None
        symbol = next(symbol for symbol in table.iter_symbols() if symbol.name == function)
        start = symbol["st_value"] - text["sh_addr"]
        return bytes(text.data()[start : start + symbol["st_size"]])


def built(name: str, folder: Path, plan: PlanConfig | None = None) -> Path:
    target = load_target(name)
    write_build(folder / "build", "tiny", name, False, plan)
    own = folder / "millivolts.c"
    own.write_text(FALLING)
    return compile_product(target, folder / "build" / "tiny" / name, folder / "product", (own,))


@pytest.mark.slow
@pytest.mark.board("nrf52840dk")
def test_modes_fall_with_the_battery(tmp_path: Path) -> None:
    elf = built("nrf52840dk", tmp_path)
    said = lines("nrf52840dk", elf, 12, tmp_path)
    assert [event["time_s"] for event in said] == list(range(0, 120, 10))
    assert [event["millivolts"] for event in said] == list(range(4200, 3000, -100))
    modes = [str(event["mode"]) for event in said]
    assert modes == sorted(modes, reverse=True)
    assert set(modes) == {"888", "880", "800"}
    # A twin counts no cycles, and tiers predict nothing.
    assert not {"latency_us", "life_s"} & {key for event in said for key in event}
    with emulated(load_target("nrf52840dk"), elf) as found:
        assert [json.loads(next(found).line) for _ in range(3)] == said[:3]


@pytest.mark.board("nrf52840dk")
def test_a_governor_stops_at_its_reserve(tmp_path: Path) -> None:
    points = (Point(10_000, 2), Point(15_000, 1), Point(40_000, 0))
    plan = PlanConfig(points, 150, 0, 0, 3_600_000, 3600, 36_000, 100)
    said = lines("nrf52840dk", built("nrf52840dk", tmp_path, plan), 13, tmp_path)
    assert said[0]["mode"] is not None
    assert said[-1]["mode"] is None
    left = [int(str(event["life_s"])) for event in said]
    # Until the next report, an hour later, nothing new is known of it.
    assert left[0] > 0
    assert set(left) == {left[0]}


@pytest.mark.slow
@pytest.mark.board("esp32c3")
def test_an_esp32c3_sleeps_by_its_own_timer(tmp_path: Path) -> None:
    """Its image has the sleep of its board, and not the one that waits awake."""
    assert WAIT_FOR_INTERRUPT in code_of(built("esp32c3", tmp_path), "board_sleep")


@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.board(name)) for name in REAL_BOARDS])
def test_every_board_has_a_product(name: str, tmp_path: Path) -> None:
    elf = built(name, tmp_path)
    target = load_target(name)
    assert target.memory is not None
    assert image_of(elf, target.memory)
    if "{twin}" in target.runner.command:
        said = lines(name, elf, 2, tmp_path)
        assert [event["mode"] for event in said] == ["888", "888"]


def test_what_is_no_board_and_what_is_not_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path))
    with pytest.raises(DimmerError, match="mps2-an386 is no board"):
        product.main("mps2-an386")
    with pytest.raises(DimmerError, match=r"has no generated C: type dimmer build --target pico"):
        product.main("pico")
    with pytest.raises(DimmerError, match=r"lamp/pico/firmware has no generated C"):
        product.main("pico", tflite=[Path("lamp.tflite")])
