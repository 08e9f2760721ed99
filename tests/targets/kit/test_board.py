# SPDX-License-Identifier: Apache-2.0
"""Registers as target.toml writes them, and what the compiler is given of a board."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dimmer.targets import load_target
from dimmer.targets.kit.board import Access, What
from tests.boards import REAL_BOARDS


def test_defines() -> None:
    board = load_target("nucleo-f446re").board
    assert board is not None
    two = (Access(0x40023830, 1, What.SET), Access(0x4002440C, 0x200C, What.WRITE))
    found = replace(board, setup=two).defines("nucleo-f446re")
    assert found["DIMMER_BOARD"] == '"nucleo-f446re"'
    assert found["DIMMER_UART_STM32_SR"] == "1"
    assert found["DIMMER_CYCLES_DWT"] == "1"
    assert found["DIMMER_BOARD_SETUP"] == "{0x40023830u, 0x1u, SET}, {0x4002440cu, 0x200cu, WRITE}"
    assert found["DIMMER_BOARD_PIN_HIGH"] == "{0x40020018u, 0x20u, WRITE}"
    assert "DIMMER_BOARD_PIN_HIGH" not in replace(board, pin_high=None).defines("x")


@pytest.mark.parametrize("name", REAL_BOARDS)
def test_the_port_is_set_up_before_it_speaks(name: str) -> None:
    """Every board writes a register of its serial port; the ROM of an ESP32-C3 has done it."""
    board = load_target(name).board
    assert board is not None
    touched = [access for access in board.setup if 0 <= access.address - board.uart_base < 0x1000]
    assert touched or name == "esp32c3"
