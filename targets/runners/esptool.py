# SPDX-License-Identifier: Apache-2.0
"""esptool: Espressif's chips over their serial port."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dimmer.targets.kit.errors import TargetError
from dimmer.targets.kit.schema import Table
from dimmer.targets.runners.flasher import Progress, Where, Written, need, run_tool

CHIPS = ("esp32c3", "esp32c6", "esp32h2", "esp32c2", "esp32p4")
"""Those with a RISC-V core."""
REASONS = {
    "Could not open|could not open port": "the port cannot be opened: is it the board's, and does nothing else use it?",
    "Failed to connect|No serial data received": "the board does not answer: hold BOOT, press RESET, try again",
    "This chip is .* not|Wrong --chip argument": "another chip is connected than the target says",
    "(?i)verify failed|MD5 of file does not match": "the flash does not hold what was written: try again",
}


@dataclass(frozen=True)
class EspTool:
    """esptool.

    Attributes:
        chip: as it names it.
        offset: in flash, from its beginning.
        options: more of its words, before write-flash.
    """

    chip: str
    offset: int = 0
    options: tuple[str, ...] = ()

    tool = "esptool"
    verifies = True
    package = ("esptool", "pip install esptool")

    @classmethod
    def read(cls, table: Table) -> EspTool:
        """Of [flash.esptool]."""
        return cls(table.choice("chip", CHIPS), table.natural("offset", default=0))

    def check(self) -> None:
        """The chip is one of those that the file may name."""
        need(self)

    def command(self, image: Written, where: Where) -> list[str]:
        """The one command; it compares the MD5 of what it wrote."""
        if where.port is None:
            # Without it esptool tries every serial port of the computer.
            raise TargetError("esptool needs the board's serial port: name it with --port, as --port /dev/ttyUSB0")
        head = ["esptool", "--chip", self.chip, "--port", where.port, *self.options, "write-flash"]
        return [*head, "--flash-size", "keep", f"{self.offset:#x}", str(image.bin)]

    def steps(self, image: Written, where: Where) -> Sequence[str]:
        """See Flasher."""
        return image.shown(self.command(image, where))

    def write(self, image: Written, where: Where, progress: Progress) -> None:
        """See Flasher."""
        command = self.command(image, where)
        self.check()
        said = run_tool(command, REASONS, progress, "writing and verifying")
        if "Hash of data verified" not in said:
            raise TargetError("esptool ended without having verified what it wrote: try again")
