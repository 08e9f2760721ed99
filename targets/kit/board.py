# SPDX-License-Identifier: Apache-2.0
"""[board]: what a board that somebody holds in his hand has: a serial line, a clock, a counter, a pin."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from dimmer.targets.kit.schema import Table
from dimmer.toml import shown

BAUD = 115_200
SERIAL_PORTS = ("stm32-sr", "stm32-isr", "nrf-uart", "nrf-uarte", "pl011", "esp", "sifive")
COUNTERS = ("none", "dwt", "systick", "mcycle", "esp32c3")
STARTS = ("vectors", "rp2040", "direct")
MILLIVOLTS = 3000

_ACCESS = re.compile(r"(0x[0-9A-Fa-f]{1,8}) (=|\|=|&= ~|\?) ?(0x[0-9A-Fa-f]{1,8}|\d{1,10})")


class What(Enum):
    """What is done with a register; the value is its name in targets/board/setup.c."""

    WRITE = "WRITE"
    SET = "SET"
    CLEAR = "CLEAR"
    WAIT = "WAIT"


_SIGNS = {"=": What.WRITE, "|=": What.SET, "&= ~": What.CLEAR, "?": What.WAIT}


@dataclass(frozen=True)
class Access:
    """A 32-bit register written, changed, or waited for.

    Attributes:
        address: of the register, a multiple of 4.
        bits: the value, or those that are set, cleared or waited for.
        what: to do.
    """

    address: int
    bits: int
    what: What

    @property
    def initialiser(self) -> str:
        """As targets/board/setup.c wants it."""
        return f"{{{self.address:#x}u, {self.bits:#x}u, {self.what.value}}}"


@dataclass(frozen=True)
class Board:
    """What a board is made of, beside its core and its memory.

    Attributes:
        clock_hz: of the core while the image runs, after `setup`.
        uart: kind of its serial port, at 115200 baud, 8 bits, no parity.
        uart_base: address of the port's registers.
        setup: 32-bit registers that are written before all else: clocks, pins, baud rate. "0x40021058 |= 0x1" sets
            bits, "&= ~" clears them, "=" writes, "?" waits for them.
        counter: of clock cycles.
        start: how the chip begins: "vectors" takes stack and program from the table at the beginning of the flash,
            "rp2040" loads the flash's first 256 bytes and runs them, "direct" jumps over its first 8 bytes.
        pin_high: the register that makes a pin high, as it is during an inference; written as in `setup`.
        pin_low: the register that makes it low again.
        millivolts: of the supply, where no code of the board measures it.
        extra_sources: C or assembly of the board, beside its family's; paths as of `sources`.
    """

    clock_hz: int
    uart: str
    uart_base: int
    setup: tuple[Access, ...]
    counter: str
    start: str
    pin_high: Access | None
    pin_low: Access | None
    millivolts: int
    extra_sources: tuple[Path, ...] = ()

    def defines(self, name: str) -> dict[str, str]:
        """What targets/board is compiled with for a board of this name."""
        macro = self.uart.upper().replace("-", "_")
        found = {
            "DIMMER_BOARD": f'"{name}"',
            "DIMMER_CLOCK_HZ": f"{self.clock_hz}u",
            f"DIMMER_UART_{macro}": "1",
            "DIMMER_UART_BASE": f"{self.uart_base:#x}u",
            "DIMMER_BOARD_SETUP": ", ".join(access.initialiser for access in self.setup),
            f"DIMMER_CYCLES_{self.counter.upper()}": "1",
            "DIMMER_MILLIVOLTS": f"{self.millivolts}u",
        }
        if self.pin_high is not None and self.pin_low is not None:
            found["DIMMER_BOARD_PIN_HIGH"] = self.pin_high.initialiser
            found["DIMMER_BOARD_PIN_LOW"] = self.pin_low.initialiser
        return found


def board_of(table: Table | None, core: str, extra: tuple[Path, ...]) -> Board | None:
    """What [board] says; `extra` are its `extra_sources`.

    Raises:
        TargetError: a key is missing, unknown or wrong.
    """
    if table is None:
        return None
    high, low = table.optional_text("pin_high"), table.optional_text("pin_low")
    if (high is None) != (low is None):
        missing = "pin_low" if low is None else "pin_high"
        raise table.fail(f"'{missing}' is missing: a pin that is driven has both", missing)
    board = Board(
        clock_hz=table.natural("clock_hz"),
        uart=table.choice("uart", SERIAL_PORTS),
        uart_base=table.natural("uart_base"),
        setup=tuple(_access(table, "setup", text) for text in table.texts("setup")),
        counter=table.choice("counter", COUNTERS),
        start=table.choice("start", STARTS),
        pin_high=None if high is None else _access(table, "pin_high", high),
        pin_low=None if low is None else _access(table, "pin_low", low),
        millivolts=table.natural("millivolts", 65_535, default=MILLIVOLTS),
        extra_sources=extra,
    )
    if not 100_000 <= board.clock_hz <= 2_000_000_000:
        raise table.fail(
            f"'clock_hz' is {board.clock_hz}: give it the core's clock in Hz, 100 kHz to 2 GHz", "clock_hz"
        )
    if board.uart_base % 4:
        raise table.fail(f"'uart_base' is {board.uart_base:#x}: give it a multiple of 4", "uart_base")
    if not board.setup:
        raise table.fail("'setup' is empty: the serial port is off until its registers are written", "setup")
    _check_counter(table, board.counter, core)
    return board


def _check_counter(table: Table, counter: str, core: str) -> None:
    """Refuses a counter that the core does not have."""
    riscv = core.startswith("rv")
    small = core in ("cortex-m0", "cortex-m0plus", "cortex-m1", "cortex-m23")
    if counter in ("dwt", "systick") and riscv:
        raise table.fail(f"'counter' is '{counter}': {core} has mcycle, or none", "counter")
    if counter in ("mcycle", "esp32c3") and not riscv:
        raise table.fail(f"'counter' is '{counter}': {core} has {'systick' if small else 'dwt'}, or none", "counter")
    if counter == "dwt" and small:
        raise table.fail(f"'counter' is 'dwt': {core} has no cycle counter there, take systick", "counter")


def _access(table: Table, key: str, text: str) -> Access:
    found = _ACCESS.fullmatch(text)
    if found is None:
        raise table.fail(
            f"'{key}' has {shown(text)}: write it as '0x40021058 |= 0x1', or with '=', '&= ~' or '?' (wait)", key
        )
    access = Access(int(found[1], 16), int(found[3], 0), _SIGNS[found[2]])
    if access.address % 4 or access.bits > 0xFFFF_FFFF:
        raise table.fail(f"'{key}' has {shown(text)}: registers have 32 bits, at multiples of 4", key)
    return access
