# SPDX-License-Identifier: Apache-2.0
"""[flash] of target.toml: the ways to write a board's flash, the best first."""

from __future__ import annotations

from dataclasses import dataclass, fields

from dimmer.targets.kit.errors import TargetError
from dimmer.targets.kit.schema import Table
from dimmer.targets.runners.bossac import Bossac
from dimmer.targets.runners.esptool import EspTool
from dimmer.targets.runners.flasher import Flasher, is_here
from dimmer.targets.runners.gdb import Gdb
from dimmer.targets.runners.openocd import OpenOcd
from dimmer.targets.runners.pyocd import PyOcd
from dimmer.targets.runners.stflash import StFlash
from dimmer.targets.runners.uf2 import Uf2


@dataclass(frozen=True)
class Ways:
    """The ways to write a board's flash.

    Attributes:
        uf2: the board shows itself as a drive.
        esptool: over its serial port.
        pyocd: by a debug probe.
        openocd: by a debug probe.
        stflash: by an ST-LINK, with st-flash of stlink-tools; the table is empty.
        gdb: by whatever serves GDB's protocol.
        bossac: over the USB of an Arduino's bootloader.
    """

    uf2: Uf2 | None = None
    esptool: EspTool | None = None
    pyocd: PyOcd | None = None
    openocd: OpenOcd | None = None
    stflash: StFlash | None = None
    gdb: Gdb | None = None
    bossac: Bossac | None = None

    @property
    def each(self) -> tuple[Flasher, ...]:
        """Those that there are, in the order in which they are tried."""
        every = (self.uf2, self.esptool, self.pyocd, self.openocd, self.stflash, self.gdb, self.bossac)
        return tuple(way for way in every if way is not None)


NO_WAYS = Ways()
_ARM_ALONE = ("pyocd", "stflash", "bossac")
"""Tools that know no chip with a RISC-V core."""
_RISCV_ALONE = ("esptool",)
"""And of whose chips here all have one."""


def ways_of(table: Table | None, core: str) -> Ways:
    """What [flash] says.

    Args:
        core: of the chip, as the compiler calls it.

    Raises:
        TargetError: a key is missing, unknown or wrong, or a tool writes no chip with such a core.
    """
    if table is None:
        return NO_WAYS
    own = {field.name: table.optional_table(field.name) for field in fields(Ways)}
    for name in _ARM_ALONE if core.startswith("rv") else _RISCV_ALONE:
        if own[name] is not None:
            raise table.fail(f"'{name}' writes no chip with a core {core}: take another way", name)
    uf2, esptool, pyocd, openocd, stflash, gdb, bossac = own.values()
    found = Ways(
        None if uf2 is None else Uf2.read(uf2),
        None if esptool is None else EspTool.read(esptool),
        None if pyocd is None else PyOcd.read(pyocd),
        None if openocd is None else OpenOcd.read(openocd),
        None if stflash is None else StFlash.read(stflash),
        None if gdb is None else Gdb.read(gdb),
        None if bossac is None else Bossac.read(bossac),
    )
    for inner in (*own.values(), table):
        if inner is not None:
            inner.finish()
    if not found.each:
        raise table.fail(f"there is no way: give it a table of {', '.join(own)}")
    return found


def choose(name: str, ways: tuple[Flasher, ...], tool: str | None) -> Flasher:
    """The way of this name, or the first whose tool is here, or the first.

    Raises:
        TargetError: the board has no such way.
    """
    if tool is not None:
        for way in ways:
            if way.tool == tool:
                return way
        raise TargetError(f"{name} has no way {tool}: name one of {', '.join(way.tool for way in ways)} with --tool")
    return next((way for way in ways if is_here(way)), ways[0])
