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
REGISTERS = "registers"
"""A serial port whose registers target.toml names one by one."""
SERIAL_PORTS = ("stm32-sr", "stm32-isr", "nrf-uart", "nrf-uarte", "pl011", "esp", "sifive", REGISTERS)
COUNTERS = ("none", "dwt", "systick", "mcycle", "esp32c3")
STARTS = ("vectors", "rp2040", "direct")
MILLIVOLTS = 3700
"""Of a lithium cell that is half full: what nobody measures keeps a product from neither end of its modes."""

_PLACE = r"(0x[0-9A-Fa-f]{1,8})(?::(8|16|32))?"
_ACCESS = re.compile(_PLACE + r" (=|\|=|&= ~|\?|!) ?(0x[0-9A-Fa-f]{1,8}|\d{1,10})")


class What(Enum):
    """What is done with a register; the value is its name in targets/board/setup.c."""

    WRITE = "WRITE"
    SET = "SET"
    CLEAR = "CLEAR"
    WAIT = "WAIT"
    WAIT_CLEAR = "WAIT_CLEAR"


_SIGNS = {"=": What.WRITE, "|=": What.SET, "&= ~": What.CLEAR, "?": What.WAIT, "!": What.WAIT_CLEAR}


@dataclass(frozen=True)
class Access:
    """A register written, changed, or waited for.

    Attributes:
        address: of the register, a multiple of its bytes.
        bits: the value, or those that are set, cleared or waited for until they are set or clear.
        what: to do.
        size: of the register, in bytes: 1, 2 or 4.
    """

    address: int
    bits: int
    what: What
    size: int = 4

    @property
    def plain(self) -> bool:
        """Whether setup.c knows it without more code: 32 bits, and no wait for bits that go."""
        return self.size == 4 and self.what is not What.WAIT_CLEAR

    @property
    def initialiser(self) -> str:
        """As targets/board/setup.c wants it."""
        size = {4: "", 2: " | HALF", 1: " | BYTE"}[self.size]
        return f"{{{self.address:#x}u, {self.bits:#x}u, {self.what.value}{size}}}"


@dataclass(frozen=True)
class SerialRegisters:
    """A serial port of any kind, whose registers are named one by one.

    Attributes:
        ready: bits that are set, or clear, when a byte may be sent.
        send: where it is written to.
        received: bits that are set, or clear, when a byte has come.
        receive: where it is read from.
    """

    ready: Access
    send: Access
    received: Access
    receive: Access

    @property
    def each(self) -> tuple[Access, ...]:
        """The four."""
        return (self.ready, self.send, self.received, self.receive)


@dataclass(frozen=True)
class Board:
    """What a board is made of, beside its core and its memory.

    Attributes:
        clock_hz: of the core while the image runs, after `setup`.
        uart: kind of its serial port, at 115200 baud, 8 bits, no parity.
        uart_base: address of the port's registers; of "registers" that to which bytes are sent.
        setup: registers that are written before all else: clocks, pins, baud rate. "0x40021058 |= 0x1" sets bits,
            "&= ~" clears them, "=" writes, "?" waits until they are set, "!" until they are clear. A register has
            32 bits; "0x40021058:16" has 16, ":8" has 8.
        counter: of clock cycles.
        start: how the chip begins: "vectors" takes stack and program from the table at the beginning of the flash,
            "rp2040" loads the flash's first 256 bytes and runs them, "direct" jumps over its first 8 bytes.
        pin_high: the register that makes a pin high, as it is during an inference; written as in `setup`.
        pin_low: the register that makes it low again.
        millivolts: of the supply, where no code of the board measures it.
        extra_sources: C or assembly of the board, beside its family's; paths as of `sources`.
        uart_ready: of the kind "registers": "0x42000818:8 ? 1" are bits that are set when a byte may be sent, with "!"
            clear.
        uart_send: of "registers": the register to which a byte is written, as "0x42000828:16".
        uart_received: of "registers": bits that are set, or clear, when a byte has come.
        uart_receive: of "registers": the register from which it is read.
        registers: these four; None for other kinds.
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
    registers: SerialRegisters | None = None

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
        if self.registers is not None:
            for name_of, access in zip(_REGISTERS, self.registers.each, strict=True):
                found[f"DIMMER_{name_of.upper()}"] = access.initialiser
        every = (*self.setup, self.pin_high, self.pin_low)
        if self.registers is not None or not all(access is None or access.plain for access in every):
            found["DIMMER_BOARD_EVERY_ACCESS"] = "1"
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
    uart = table.choice("uart", SERIAL_PORTS, required=True)
    registers, base = _registers(table, uart), table.optional_natural("uart_base") or 0
    board = Board(
        clock_hz=table.natural("clock_hz"),
        uart=uart,
        uart_base=base if registers is None else registers.send.address,
        setup=tuple(_access(table, "setup", text) for text in table.texts("setup")),
        counter=table.choice("counter", COUNTERS),
        start=table.choice("start", STARTS),
        pin_high=None if high is None else _access(table, "pin_high", high),
        pin_low=None if low is None else _access(table, "pin_low", low),
        millivolts=table.natural("millivolts", 65_535, default=MILLIVOLTS),
        extra_sources=extra,
        registers=registers,
    )
    if not 100_000 <= board.clock_hz <= 2_000_000_000:
        raise table.fail(
            f"'clock_hz' is {board.clock_hz}: give it the core's clock in Hz, 100 kHz to 2 GHz", "clock_hz"
        )
    if registers is not None and base:
        raise table.fail(f"'uart_base' is {base:#x}: uart = \"{REGISTERS}\" has none, it names its own", "uart_base")
    if registers is None and base == 0:
        raise table.fail("'uart_base' is missing: give it the address of the port's registers", "uart_base")
    if registers is None and base % 4:
        raise table.fail(f"'uart_base' is {board.uart_base:#x}: give it a multiple of 4", "uart_base")
    if not board.setup:
        raise table.fail("'setup' is empty: the serial port is off until its registers are written", "setup")
    _check_counter(table, board.counter, core)
    _check_start(table, board.start, core)
    return board


_REGISTERS = ("uart_ready", "uart_send", "uart_received", "uart_receive")


def _registers(table: Table, uart: str) -> SerialRegisters | None:
    """The port's registers, where they are named one by one."""
    texts = {key: table.optional_text(key) for key in _REGISTERS}
    if uart != REGISTERS:
        for key, text in texts.items():
            if text is not None:
                raise table.fail(f"'{key}' goes with uart = \"{REGISTERS}\": of '{uart}' they are known", key)
        return None
    for key, text in texts.items():
        if text is None:
            raise table.fail(f"'{key}' is missing: uart = \"{REGISTERS}\" needs {', '.join(_REGISTERS)}", key)
    ready, send, received, receive = (str(text) for text in texts.values())
    found = SerialRegisters(
        _wait(table, "uart_ready", ready),
        _place(table, "uart_send", send),
        _wait(table, "uart_received", received),
        _place(table, "uart_receive", receive),
    )
    if found.received.address == found.receive.address:
        raise table.fail(
            "'uart_received' is the register of 'uart_receive': asking it would take the byte", "uart_received"
        )
    return found


def _wait(table: Table, key: str, text: str) -> Access:
    """Bits that are looked at."""
    access = _access(table, key, text)
    if access.what not in (What.WAIT, What.WAIT_CLEAR) or access.bits == 0:
        raise table.fail(
            f"'{key}' is {shown(text)}: write it as '0x42000818:8 ? 1', or with '!' where they are clear", key
        )
    return access


def _place(table: Table, key: str, text: str) -> Access:
    """A register alone."""
    if re.fullmatch(_PLACE, text) is None:
        raise table.fail(f"'{key}' is {shown(text)}: write it as '0x42000828', or '0x42000828:16' of 16 bits", key)
    return _access(table, key, f"{text} = 0")


def _check_start(table: Table, start: str, core: str) -> None:
    """Refuses a way to begin that chips with such a core do not have."""
    if start == "direct" and not core.startswith("rv"):
        raise table.fail(f"'start' is 'direct': that is an ESP32-C3's, {core} takes 'vectors'", "start")
    if start == "rp2040" and core != "cortex-m0plus":
        raise table.fail(f"'start' is 'rp2040': that chip has a cortex-m0plus, {core} takes 'vectors'", "start")


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
            f"'{key}' has {shown(text)}: write it as '0x40021058 |= 0x1', or with '=', '&= ~', '?' (wait until set) or "
            "'!' (until clear)",
            key,
        )
    bits = int(found[2] or 32)
    access = Access(int(found[1], 16), int(found[4], 0), _SIGNS[found[3]], bits // 8)
    if access.address % access.size or access.bits >> bits:
        other = ", others are '0x40021058:16' or ':8'" if bits == 32 else ""
        raise table.fail(
            f"'{key}' has {shown(text)}: registers have {bits} bits, at multiples of {access.size}{other}", key
        )
    return access
