# SPDX-License-Identifier: Apache-2.0
"""A program for a Cortex-M in unicorn, of which tests call single functions, and change single bits."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

from dimmer.firmware_gen.library import INCLUDE
from dimmer.targets.kit.cores import core_flags
from dimmer.targets.kit.toolchain import compile_objects

FLASH, RAM, RAM_SIZE = 0x0800_0000, 0x2000_0000, 0x2_0000
PAGE = 0x1000
CORE = core_flags("cortex-m4") or ()
FLAGS = (*CORE, "-std=gnu99", "-O2", "-ffunction-sections", "-Wall", "-Wextra", "-Werror")
COMPILER = "arm-none-eabi-gcc"


class FaultError(Exception):
    """The core did what a core cannot do."""


def linked(folder: Path, sources: Sequence[Path], include: Sequence[Path], *flags: str) -> Path:
    """A program whose code and constants lie at FLASH, variables at RAM; no start-up code."""
    objects = folder / "objects"
    objects.mkdir(parents=True)
    words = [COMPILER, *FLAGS, *flags, *(f"-I{path}" for path in (INCLUDE, *include))]
    made = compile_objects(words, sources, objects, folder)
    program = folder / "program.elf"
    places = [f"-Wl,-Ttext={FLASH:#x}", f"-Wl,-Tdata={RAM:#x}", "-Wl,--gc-sections", "-Wl,-e,main"]
    keep = [flag for flag in flags if flag.startswith("-Wl,")]
    command = [COMPILER, *CORE, "-nostartfiles", "--specs=nosys.specs", *places, *keep]
    subprocess.run([*command, *map(str, made), "-o", str(program)], check=True)
    return program


class Core:
    """A Cortex-M4 with a program in flash; `call` runs a function of it."""

    def __init__(self, program: Path) -> None:
        # As twin.py: unicorn's own types say nothing of what it has.
        self.unicorn: Any = import_module("unicorn")
        self.registers: Any = import_module("unicorn.arm_const")
        unicorn, arm_const = self.unicorn, self.registers
        self.engine: Any = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        self.engine.ctl_set_cpu_model(arm_const.UC_CPU_ARM_CORTEX_M4)
        with program.open("rb") as stream:
            elf = ELFFile(stream)
            table: Any = elf.get_section_by_name(".symtab")
            self.symbols = {s.name: (s["st_value"], s["st_size"]) for s in table.iter_symbols() if s.name}
            loads = [
                (s["p_paddr"], s.data()) for s in elf.iter_segments() if s["p_type"] == "PT_LOAD" and s["p_filesz"]
            ]
        self.flash = b"".join(data for address, data in sorted(loads) if address >= FLASH and address < RAM)
        assert min(address for address, _ in loads) <= FLASH, "no flash"
        base = min(address for address, _ in loads if address < RAM)
        self.base = base & -PAGE
        size = (max(address + len(data) for address, data in loads if address < RAM) - self.base + PAGE - 1) & -PAGE
        self.engine.mem_map(self.base, size, unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC)
        self.engine.mem_map(RAM, RAM_SIZE)
        for address, data in loads:
            self.engine.mem_write(address, data)

    def address(self, symbol: str) -> int:
        """Of a function or an object."""
        return int(self.symbols[symbol][0])

    def read(self, address: int, size: int) -> bytes:
        """Bytes of flash or RAM."""
        return bytes(self.engine.mem_read(address, size))

    def write(self, address: int, data: bytes) -> None:
        """Writes RAM, or flash as nobody but a test can."""
        self.engine.mem_write(address, data)

    def flip(self, address: int, bit: int) -> None:
        """Changes a bit."""
        self.write(address, bytes([self.read(address, 1)[0] ^ 1 << bit]))

    def fresh_ram(self) -> None:
        """As after a reset: of no content that anybody may rely on, but for what start-up code clears."""
        self.write(RAM, bytes(RAM_SIZE))

    def call(self, function: str, *arguments: int) -> int:
        """Runs a function and gives what it returns, as a signed number.

        Raises:
            FaultError: an access to nothing, an instruction that is none, or no end.
        """
        write, registers = self.engine.reg_write, self.registers
        write(registers.UC_ARM_REG_SP, RAM + RAM_SIZE - 16)
        write(registers.UC_ARM_REG_LR, self.address("done") | 1)
        for number, argument in enumerate(arguments):
            write(registers.UC_ARM_REG_R0 + number, argument)
        stop = self.address("done") & ~1
        try:
            self.engine.emu_start(self.address(function) | 1, stop, count=0, timeout=20_000_000)
        except self.unicorn.UcError as error:
            at = self.engine.reg_read(registers.UC_ARM_REG_PC)
            raise FaultError(f"{function}: {error} at {at:#x}") from error
        if self.engine.reg_read(registers.UC_ARM_REG_PC) & ~1 != stop:
            raise FaultError(f"{function} does not end")
        value = self.engine.reg_read(registers.UC_ARM_REG_R0)
        return int(value - (1 << 32) if value >> 31 else value)

    def instructions(self, function: str, *arguments: int) -> int:
        """How many instructions a call takes."""
        count = 0

        def step(_engine: Any, _address: int, _size: int, _data: Any) -> None:
            nonlocal count
            count += 1

        hook = self.engine.hook_add(self.unicorn.UC_HOOK_CODE, step)
        # What was translated before the hook was there would not count.
        self.engine.ctl_flush_tb()
        try:
            self.call(function, *arguments)
        finally:
            self.engine.hook_del(hook)
            self.engine.ctl_flush_tb()
        return count
