# SPDX-License-Identifier: Apache-2.0
"""The twin of a board: its firmware in unicorn, at the board's own addresses, with its serial port on a socket or a
pseudo terminal.

    python -m dimmer.targets.runners.twin TARGET.toml FIRMWARE.elf pty

prints the name of a terminal, with which `dimmer validate --port` works as with a board's.

What the flash tool would write is loaded to where it would write it, and the core starts as the chip starts. There is
flash (which cannot be written), RAM, the registers that `setup` in target.toml names, and nothing else: an access
elsewhere ends the run, with its address. Registers keep what is written; bits that are waited for are there. No clock,
no wait state, no interrupt, no cycle counter is modelled, so a twin proves memory map, start-up, copying of data and
results, and not that a clock or a pin is right.
"""

from __future__ import annotations

import os
import pty
import select
import socket
import struct
import sys
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dimmer.targets.kit.board import Access, Board, SerialRegisters, What
from dimmer.targets.kit.errors import TargetError
from dimmer.targets.kit.memory import Memory
from dimmer.targets.runners.image import boot2_crc, image_of

PAGE = 0x1000
PTY = "pty"
ROM_BOOT2 = 0x20041F00
"""Where the ROM of RP2040 puts the first 256 bytes of the flash."""

_PRIVATE = (0xE0000000, 0x100000)
"""Of a Cortex-M: its own registers. They read 0, but for the timer, which is always over."""
_SYSTICK_CONTROL = 0xE010
_FAULT_WORDS = 16


class Port:
    """A serial port: bytes to and from a file descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._bytes = b""
        self._idle = 0

    def put(self, byte: int) -> None:
        """Sends a byte."""
        os.write(self._descriptor, bytes([byte & 0xFF]))

    def waiting(self) -> bool:
        """Whether a byte has come. The emulated board asks in a loop, so after a while this waits a moment."""
        if self._bytes:
            return True
        self._idle += 1
        pause = 0.002 if self._idle > 2000 else 0.0
        if select.select([self._descriptor], [], [], pause)[0]:
            got = os.read(self._descriptor, 65_536)
            if not got:
                # Nobody listens any more.
                raise SystemExit(0)
            self._bytes += got
            self._idle = 0
        return bool(self._bytes)

    def get(self) -> int:
        """The next byte; 0 where there is none."""
        if not self.waiting():
            return 0
        byte, self._bytes = self._bytes[0], self._bytes[1:]
        return byte


Read = Callable[[], int]
Write = Callable[[int], None]


def registers(
    board: Board, port: Port, memory: Callable[[int, int], bytes], store: Callable[[int, bytes], None]
) -> tuple[dict[int, Read], dict[int, Write]]:
    """The registers of a board's serial port that do something.

    Args:
        memory: reads RAM, for ports that do so themselves.
        store: writes it.

    Returns:
        Two dictionaries: address -> what reading gives, and address -> what writing does.
    """
    base = board.uart_base
    there = port.waiting

    def nothing(_value: int) -> None:
        return

    reads: dict[int, Read] = {}
    writes: dict[int, Write] = {}
    match board.uart:
        case "stm32-sr":
            reads = {base: lambda: 0xC0 | there() << 5, base + 4: port.get}
            writes = {base + 4: port.put}
        case "stm32-isr":
            reads = {base + 0x1C: lambda: 0x6000C0 | there() << 5, base + 0x24: port.get}
            writes = {base + 0x28: port.put, base + 0x20: nothing}
        case "nrf-uart":
            reads = {base + 0x11C: lambda: 1, base + 0x108: lambda: int(there()), base + 0x518: port.get}
            writes = {base + 0x51C: port.put, base + 0x11C: nothing, base + 0x108: nothing}
        case "nrf-uarte":
            places: dict[int, int] = {}

            def send(_value: int) -> None:
                port.put(memory(places.get(0x544, 0), 1)[0])

            def received() -> int:
                if not there():
                    return 0
                store(places.get(0x534, 0), bytes([port.get()]))
                return 1

            reads = {base + 0x120: lambda: 1, base + 0x110: received}
            writes = {base + 0x008: send, base + 0x120: nothing, base + 0x110: nothing}
            for offset in (0x544, 0x534):
                writes[base + offset] = lambda value, offset=offset: places.update({offset: value})  # type: ignore[misc]
        case "pl011":
            reads = {base + 0x18: lambda: 0 if there() else 0x10, base: port.get}
            writes = {base: port.put}
        case "esp":
            reads = {base + 0x1C: lambda: int(there()), base: port.get}
            writes = {base: port.put}
        case "registers":
            assert board.registers is not None
            return _named(board.registers, port)
        case "sifive":
            reads = {base: lambda: 0, base + 4: lambda: port.get() if there() else 1 << 31}
            writes = {base: port.put}
    return reads, writes


def _named(named: SerialRegisters, port: Port) -> tuple[dict[int, Read], dict[int, Write]]:
    """As `registers`, of a port whose registers target.toml names: it may always send."""

    def shown_by(wait: Access, now: bool) -> int:
        return wait.bits if now == (wait.what is What.WAIT) else 0

    def state(address: int) -> int:
        found = shown_by(named.ready, True) if named.ready.address == address else 0
        return found | (shown_by(named.received, port.waiting()) if named.received.address == address else 0)

    reads: dict[int, Read] = {
        wait.address: lambda address=wait.address: state(address)  # type: ignore[misc]
        for wait in (named.ready, named.received)
    }
    return {**reads, named.receive.address: port.get}, {named.send.address: port.put}


class Twin:
    """A core with flash, RAM and a serial port."""

    def __init__(self, core: str, memory: Memory, board: Board, image: bytes, port: Port) -> None:
        import unicorn

        self._riscv = core.startswith("rv")
        self._board, self._memory = board, memory
        self._bytes: dict[int, int] = {}
        # Address of a byte -> bits that are waited for until they are set, and until they are clear.
        self._set: dict[int, int] = {}
        self._clear: dict[int, int] = {}
        self.problem = ""
        self._engine = self._made(unicorn, core)
        for region in (memory.flash, *([memory.constants] if memory.constants else [])):
            self._map(region.origin, region.size, unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC)
            self._engine.mem_write(region.origin, image)
        for region in (memory.ram, *([memory.arena] if memory.arena else [])):
            self._map(region.origin, region.size, unicorn.UC_PROT_ALL)
        self._reads, self._writes = registers(board, port, self._engine.mem_read, self._engine.mem_write)
        self._map_registers()
        self._engine.hook_add(unicorn.UC_HOOK_MEM_INVALID, self._bad_access)
        self._engine.hook_add(unicorn.UC_HOOK_INTR, self._trap)
        self._start(image)

    def _made(self, unicorn: Any, core: str) -> Any:
        if self._riscv:
            return unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)
        from unicorn import arm_const

        models = {
            "cortex-m0": arm_const.UC_CPU_ARM_CORTEX_M0,
            "cortex-m0plus": arm_const.UC_CPU_ARM_CORTEX_M0,
            "cortex-m1": arm_const.UC_CPU_ARM_CORTEX_M0,
            "cortex-m3": arm_const.UC_CPU_ARM_CORTEX_M3,
            "cortex-m4": arm_const.UC_CPU_ARM_CORTEX_M4,
            "cortex-m7": arm_const.UC_CPU_ARM_CORTEX_M7,
            "cortex-m33": arm_const.UC_CPU_ARM_CORTEX_M33,
            "cortex-m35p": arm_const.UC_CPU_ARM_CORTEX_M33,
            # All that Armv8-M's baseline has; what it lacks is the compiler's to leave out.
            "cortex-m23": arm_const.UC_CPU_ARM_CORTEX_M33,
        }
        # "cortex-m33+nodsp" is a core with less, for which the compiler makes less.
        core = core.partition("+")[0]
        if core not in models:
            raise TargetError(f"unicorn has no {core}: it has {', '.join(models)} and RISC-V")
        engine = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        engine.ctl_set_cpu_model(models[core])
        return engine

    def _map(self, origin: int, size: int, rights: int) -> None:
        first, last = origin & -PAGE, (origin + size + PAGE - 1) & -PAGE
        self._engine.mem_map(first, last - first, rights)

    def _map_registers(self) -> None:
        board = self._board
        pins = [pin for pin in (board.pin_high, board.pin_low) if pin is not None]
        for access in board.setup:
            if access.what in (What.WAIT, What.WAIT_CLEAR):
                waited = self._set if access.what is What.WAIT else self._clear
                for number, bits in enumerate(access.bits.to_bytes(4, "little")):
                    waited[access.address + number] = waited.get(access.address + number, 0) | bits
        named = [access.address for access in (*board.setup, *pins)] + [*self._reads, *self._writes]
        for page in sorted({address & -PAGE for address in named}):
            if self._riscv or not _PRIVATE[0] <= page < sum(_PRIVATE):
                self._engine.mmio_map(page, PAGE, self._read, page, self._write, page)
        if not self._riscv:
            self._engine.mmio_map(*_PRIVATE, self._read_private, None, lambda *_: None, None)

    def _read(self, _engine: Any, offset: int, size: int, page: int) -> int:
        address = page + offset
        reader = self._reads.get(address)
        if reader is not None:
            return int(reader())
        each = (
            self._bytes.get(at, 0) & ~self._clear.get(at, 0) | self._set.get(at, 0)
            for at in range(address, address + size)
        )
        return int.from_bytes(bytes(each), "little")

    def _write(self, _engine: Any, offset: int, size: int, value: int, page: int) -> None:
        address = page + offset
        writer = self._writes.get(address)
        if writer is not None:
            writer(value)
        else:
            self._bytes.update(zip(range(address, address + size), value.to_bytes(8, "little"), strict=False))

    def _read_private(self, _engine: Any, offset: int, _size: int, _data: Any) -> int:
        return 1 << 16 if offset == _SYSTICK_CONTROL else 0

    def _register(self, name: str) -> int:
        from unicorn import arm_const, riscv_const

        found: int = getattr(riscv_const if self._riscv else arm_const, name)
        return found

    @property
    def _pc(self) -> int:
        return self._register("UC_RISCV_REG_PC" if self._riscv else "UC_ARM_REG_PC")

    def _bad_access(self, engine: Any, _kind: int, address: int, _size: int, _value: int, _data: Any) -> bool:
        self.problem = (
            f"an access to {address:#010x}, where the board has nothing, from {engine.reg_read(self._pc):#010x}"
        )
        return False

    def _trap(self, engine: Any, number: int, _data: Any) -> None:
        """Espressif's own counter is unknown to the emulator: it reads 0."""
        at = engine.reg_read(self._pc)
        # The emulator stands behind what it does not know, which has four bytes.
        (word,) = struct.unpack("<I", engine.mem_read(at - 4, 4)) if self._riscv else (0,)
        if self._riscv and word & 0x7F == 0x73 and word >> 20 in (0x7E0, 0x7E1, 0x7E2):
            if target := word >> 7 & 31:
                engine.reg_write(self._register("UC_RISCV_REG_X0") + target, 0)
            engine.reg_write(self._pc, at)
            return
        self.problem = f"an exception (number {number}) at {at:#010x}"
        engine.emu_stop()

    def _start(self, image: bytes) -> None:
        engine, flash = self._engine, self._memory.flash.origin
        match self._board.start:
            case "direct":
                self._at = flash + 8
            case "rp2040":
                self._start_rp2040(image)
            case _ if self._riscv:
                self._at = flash
            case _:
                stack, self._at = struct.unpack("<II", image[:8])
                engine.reg_write(self._register("UC_ARM_REG_SP"), stack)

    def _start_rp2040(self, image: bytes) -> None:
        """The ROM of that chip: it copies 256 bytes, and has a table of functions, of which ours does nothing."""
        engine = self._engine
        if boot2_crc(image[:252]) != struct.unpack("<I", image[252:256])[0]:
            self.problem = "the ROM finds no boot2: the CRC of the flash's first 252 bytes is not what follows them"
        engine.mem_map(0, 0x4000)
        engine.mem_write(0x14, struct.pack("<HHH", 0x100, 0, 0x201))
        # The look-up gives the address of a function at 0x300 that returns.
        engine.mem_write(0x200, struct.pack("<HHI", 0x4800, 0x4770, 0x301))
        engine.mem_write(0x300, struct.pack("<H", 0x4770))
        engine.mem_map(ROM_BOOT2 & -PAGE, PAGE)
        engine.mem_write(ROM_BOOT2, image[:256])
        engine.reg_write(self._register("UC_ARM_REG_SP"), ROM_BOOT2 + 0x100)
        self._at = ROM_BOOT2 | 1

    def run(self) -> str:
        """Runs until something is wrong; returns what."""
        from unicorn.unicorn import UcError

        while not self.problem:
            try:
                # Without a time limit: an instruction that reads a port must not be cut short and run again.
                self._engine.emu_start(self._at, 0xFFFF_FFFE)
            except UcError as error:
                self.problem = self.problem or f"{error} at {self._engine.reg_read(self._pc):#010x}"
            # A core that sleeps wakes up at once.
            self._at = self._engine.reg_read(self._pc) | (0 if self._riscv else 1)
        return self.problem


def connected(path: str) -> int:
    """The descriptor of a socket, or of a new pseudo terminal, whose name is printed."""
    if path == PTY:
        own, other = pty.openpty()
        tty.setraw(own)
        tty.setraw(other)
        print(os.ttyname(other), flush=True)
        return own
    line = socket.socket(socket.AF_UNIX)
    line.connect(path)
    return line.detach()


def main(arguments: list[str]) -> int:
    """Runs a firmware until nobody listens any more, or until it does something that its board could not."""
    from dimmer.targets.target import read_target

    file, elf, serial = arguments
    target = read_target(Path(file))
    if target.memory is None or target.board is None:
        print(f"{target.name} has no [memory] or no [board]: it is no board", file=sys.stderr)
        return 2
    try:
        image = image_of(Path(elf), target.memory)
        twin = Twin(target.core, target.memory, target.board, image, Port(connected(serial)))
        print(twin.run(), file=sys.stderr)
    except TargetError as error:
        print(error, file=sys.stderr)
    return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
