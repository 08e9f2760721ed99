# SPDX-License-Identifier: Apache-2.0
"""st-flash of stlink-tools: ST's boards with an ST-LINK."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dimmer.targets.kit.errors import TargetError
from dimmer.targets.kit.schema import Table
from dimmer.targets.runners.flasher import Progress, Where, Written, need, run_tool

REASONS = {
    "Couldn't find any ST-Link": "no ST-LINK is connected: plug in the board, or take another way with --tool",
    "unknown chip id|Unknown memory|flash loader not found": "it does not know this chip: take another way with --tool",
    "Verification of flash failed": "the flash does not hold what was written: try again",
}


@dataclass(frozen=True)
class StFlash:
    """st-flash. It knows chips by their own number, so that target.toml says nothing."""

    tool = "stflash"
    verifies = True
    package = ("st-flash", "sudo apt-get install stlink-tools")

    @classmethod
    def read(cls, table: Table) -> StFlash:
        """Of [flash.stflash], which is empty."""
        del table
        return cls()

    def check(self) -> None:
        """Nothing is said of the chip that could be wrong."""
        need(self)

    def command(self, image: Written, where: Where) -> list[str]:
        """The one command; it verifies by itself."""
        probe = [] if where.probe is None else ["--serial", where.probe]
        return [
            "st-flash",
            "--connect-under-reset",
            "--reset",
            *probe,
            "write",
            str(image.bin),
            f"{image.origin:#010x}",
        ]

    def steps(self, image: Written, where: Where) -> Sequence[str]:
        """See Flasher."""
        return image.shown(self.command(image, where))

    def write(self, image: Written, where: Where, progress: Progress) -> None:
        """See Flasher."""
        self.check()
        # It may end with status 0 although it found no board.
        said = run_tool(self.command(image, where), REASONS, progress, "writing and verifying")
        for sign, reason in REASONS.items():
            if sign.split("|")[0] in said:
                raise TargetError(f"st-flash: {reason}")
        if "verified" not in said.lower():
            raise TargetError("st-flash ended without having verified what it wrote: try again")
