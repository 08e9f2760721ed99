# SPDX-License-Identifier: Apache-2.0
"""bossac: boards of Arduino behind their bootloader, over USB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dimmer.targets.kit.errors import TargetError
from dimmer.targets.kit.schema import Table
from dimmer.targets.runners.flasher import Progress, Where, Written, need, run_tool

REASONS = {
    "No device found|No such port|Could not connect": (
        "nobody answers at this port: press RESET twice, so that the bootloader runs, and look which port it has"
    ),
    "Device unsupported": "it does not know the chip: take Arduino's own bossac, of its package for the board",
    "(?i)verify failed": "the flash does not hold what was written: try again",
}


@dataclass(frozen=True)
class Bossac:
    """bossac.

    Attributes:
        offset: of the image in the flash, where the bootloader does not put it behind itself; 0x2000 for SAM D21.
    """

    offset: int = 0

    tool = "bossac"
    verifies = True
    package = ("bossac", "arduino-cli core install arduino:mbed_nano, and put its bossac on PATH")

    @classmethod
    def read(cls, table: Table) -> Bossac:
        """Of [flash.bossac], which may be empty."""
        return cls(table.natural("offset", default=0))

    def check(self) -> None:
        """There is nothing about the chip in the file."""
        need(self)

    def command(self, image: Written, where: Where) -> list[str]:
        """The one command: erase, write, read back, reset."""
        if where.port is None:
            raise TargetError("bossac needs the bootloader's serial port: name it with --port, as --port /dev/ttyACM0")
        offset = [f"--offset={self.offset:#x}"] if self.offset else []
        return ["bossac", "--port", where.port, *offset, "-i", "-e", "-w", "-v", "-R", str(image.bin)]

    def steps(self, image: Written, where: Where) -> Sequence[str]:
        """See Flasher."""
        return ["press RESET twice: the bootloader runs", *image.shown(self.command(image, where))]

    def write(self, image: Written, where: Where, progress: Progress) -> None:
        """See Flasher."""
        command = self.command(image, where)
        self.check()
        said = run_tool(command, REASONS, progress, "writing and verifying")
        if "Verify successful" not in said:
            raise TargetError("bossac ended without having verified what it wrote: try again")
