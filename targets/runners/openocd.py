# SPDX-License-Identifier: Apache-2.0
"""OpenOCD: writes, verifies and starts in one command."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from dimmer.targets.kit.errors import TargetError
from dimmer.targets.kit.schema import Table
from dimmer.targets.runners.flasher import Progress, Where, Written, ask_tool, need, run_tool

REASONS = {
    "open failed|No J-Link device found|unable to find a matching CMSIS-DAP": "no debug probe is connected: plug in "
    "the board's debugger, or take another way with --tool",
    "LIBUSB_ERROR_ACCESS": "the probe is there and may not be opened: install OpenOCD's udev rules, or be in plugdev",
    "Can't find ": "it has no such configuration: another version of openocd? Look at [flash.openocd] in target.toml",
    "verify failed|checksum mismatch|contents differ": "the flash does not hold what was written: try again",
    "cannot be (?:connected|read)|init mode failed": "the chip does not answer: is the board powered?",
}
_LOOK_S = 20.0


@dataclass(frozen=True)
class OpenOcd:
    """OpenOCD.

    Attributes:
        config: its words before the command: "-f", "board/st_nucleo_f4.cfg".
    """

    config: tuple[str, ...]

    tool = "openocd"
    verifies = True
    package = ("openocd", "sudo apt-get install openocd")

    @classmethod
    def read(cls, table: Table) -> OpenOcd:
        """Of [flash.openocd]."""
        config = table.texts("config")
        if not config:
            raise table.fail('\'config\' is empty: name the board\'s file, as "-f", "board/x.cfg"', "config")
        return cls(config)

    def check(self) -> None:
        """The configuration is read without a probe."""
        need(self)
        done = ask_tool(["openocd", *self.config, "-c", "echo ok; shutdown"], _LOOK_S)
        if "Can't find" in done.stderr or "invalid command" in done.stderr:
            line = next(line.strip() for line in done.stderr.splitlines() if "find" in line or "invalid" in line)
            raise TargetError(f"openocd does not know this board ({line}): correct [flash.openocd] in target.toml")

    def command(self, image: Written, where: Where) -> list[str]:
        """The one command."""
        serial = [] if where.probe is None else ["-c", f"adapter serial {where.probe}"]
        return ["openocd", *self.config, *serial, "-c", f"program {{{image.elf}}} verify reset exit"]

    def steps(self, image: Written, where: Where) -> Sequence[str]:
        """See Flasher."""
        return [shlex.join(self.command(image, where))]

    def write(self, image: Written, where: Where, progress: Progress) -> None:
        """See Flasher."""
        self.check()
        said = run_tool(self.command(image, where), REASONS, progress, "writing and verifying")
        if "Verified OK" not in said:
            raise TargetError("openocd ended without having verified what it wrote: try again")
