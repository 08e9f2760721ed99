# SPDX-License-Identifier: Apache-2.0
"""The twin's serial ports and its cores; whole images run in tests/targets/test_boards.py."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.targets import TargetError, load_target
from dimmer.targets.kit.board import REGISTERS, SERIAL_PORTS, Access, Board, SerialRegisters, What
from dimmer.targets.kit.memory import Memory, Region
from dimmer.targets.runners import twin
from dimmer.targets.runners.twin import Port, registers

BASE = 0x40000000


def board(uart: str) -> Board:
    found = load_target("nucleo-f446re").board
    assert found is not None
    return replace(found, uart=uart, uart_base=BASE)


@pytest.mark.parametrize("uart", [name for name in SERIAL_PORTS if name != REGISTERS])
def test_every_kind_of_port_sends_and_receives(uart: str) -> None:
    """By the registers that targets/board/uart.c uses."""
    ours, theirs = os.pipe()
    read_end, write_end = os.pipe()
    ram = bytearray(16)

    def store(at: int, data: bytes) -> None:
        ram[at : at + len(data)] = data

    class Line(Port):
        def put(self, byte: int) -> None:
            os.write(write_end, bytes([byte]))

    reads, writes = registers(board(uart), Line(ours), lambda at, size: bytes(ram[at : at + size]), store)
    ways: dict[str, Callable[[], object]] = {
        "stm32-sr": lambda: reads[BASE]() & 0x20,
        "stm32-isr": lambda: reads[BASE + 0x1C]() & 0x20,
        "nrf-uart": lambda: reads[BASE + 0x108](),
        "nrf-uarte": lambda: reads[BASE + 0x110](),
        "pl011": lambda: not reads[BASE + 0x18]() & 0x10,
        "esp": lambda: reads[BASE + 0x1C]() & 0x3FF,
        "sifive": lambda: not reads[BASE + 4]() >> 31,
    }
    waiting = ways[uart]
    if uart == "nrf-uarte":
        writes[BASE + 0x534](3)
    assert not waiting()
    os.write(theirs, b"AB" if uart == "sifive" else b"A")
    assert waiting()
    data = {"stm32-sr": 4, "stm32-isr": 0x24, "nrf-uart": 0x518, "pl011": 0, "esp": 0, "sifive": 4}
    # Asking a SiFive's port takes the byte.
    assert (ram[3] if uart == "nrf-uarte" else reads[BASE + data[uart]]()) == ord("B" if uart == "sifive" else "A")
    if uart == "nrf-uarte":
        ram[5] = ord("z")
        writes[BASE + 0x544](5)
        writes[BASE + 0x008](1)
    else:
        sent = {"stm32-sr": 4, "stm32-isr": 0x28, "nrf-uart": 0x51C, "pl011": 0, "esp": 0, "sifive": 0}
        writes[BASE + sent[uart]](ord("z"))
    assert os.read(read_end, 1) == b"z"
    for descriptor in (ours, theirs, read_end, write_end):
        os.close(descriptor)


@pytest.mark.parametrize(("sign", "idle", "come"), [(What.WAIT, 1, 5), (What.WAIT_CLEAR, 4, 0)])
def test_a_port_whose_registers_are_named(sign: What, idle: int, come: int) -> None:
    """Bits that say that a byte may be sent, and that one has come, in one register: set, or clear."""
    ours, theirs = os.pipe()
    named = SerialRegisters(
        Access(BASE, 1, sign, 1),
        Access(BASE + 8, 0, What.WRITE),
        Access(BASE, 4, sign, 1),
        Access(BASE + 8, 0, What.WRITE),
    )
    reads, writes = registers(replace(board(REGISTERS), registers=named), Port(ours), lambda _at, _size: b"", print)
    assert reads[BASE]() == idle
    os.write(theirs, b"A")
    assert reads[BASE]() == come
    assert reads[BASE + 8]() == ord("A")
    assert set(writes) == {BASE + 8}
    os.close(ours)
    os.close(theirs)


def test_registers_of_every_width_keep_what_is_written_but_what_is_waited_for() -> None:
    pytest.importorskip("unicorn")
    setup = (
        Access(BASE + 0x102, 0x4019, What.WRITE, 2),
        Access(BASE + 0x101, 0x80, What.WAIT_CLEAR, 1),
        Access(BASE + 0x104, 0x100, What.WAIT),
    )
    memory = Memory(Region(0, 0x1000), Region(0x20000000, 0x1000))
    made = twin.Twin("cortex-m0plus", memory, replace(board("pl011"), setup=setup), bytes(8), Port(0))
    made._write(None, 0x102, 2, 0x4019, BASE)
    made._write(None, 0x101, 1, 0xFF, BASE)
    made._write(None, 0x104, 4, 0x12345678, BASE)
    assert [made._read(None, at, size, BASE) for at, size in ((0x100, 4), (0x101, 1), (0x103, 1), (0x104, 4))] == [
        *(0x40197F00, 0x7F, 0x40, 0x12345778),
    ]


def test_a_core_that_unicorn_lacks() -> None:
    pytest.importorskip("unicorn")
    memory = Memory(Region(0, 0x1000), Region(0x20000000, 0x1000))
    with pytest.raises(TargetError, match="unicorn has no cortex-m55"):
        twin.Twin("cortex-m55", memory, board("pl011"), bytes(8), Port(0))


def test_a_pico_without_boot2_stays_in_its_rom() -> None:
    pytest.importorskip("unicorn")
    target = load_target("pico")
    assert target.memory is not None
    assert target.board is not None
    made = twin.Twin(target.core, target.memory, target.board, bytes(1024), Port(0))
    assert "the ROM finds no boot2" in made.run()


def test_what_is_no_board_has_no_twin(capsys: pytest.CaptureFixture[str]) -> None:
    file = load_target("mps2-an386").folder / "target.toml"
    assert twin.main([str(file), str(Path("no.elf")), "no.socket"]) == 2
    assert "has no [memory] or no [board]" in capsys.readouterr().err
