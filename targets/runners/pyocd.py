# SPDX-License-Identifier: Apache-2.0
"""pyOCD: any CMSIS-DAP, J-Link or ST-LINK probe."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from dimmer.targets.kit.errors import TargetError
from dimmer.targets.kit.schema import Table
from dimmer.targets.runners.flasher import Command, Progress, Where, Written, ask_tool, need, run_tool

REASONS = {
    "No connected debug probes|No available debug probes|no debug probe": "no debug probe is connected: plug in the "
    "board's debugger, or take another way with --tool",
    "Unable to open|Access denied|could not open|insufficient permissions": "the probe is there and cannot be opened: "
    "on Linux install pyOCD's udev rules (pyocd.io/docs/installing)",
    "Target type .* not recognized": "it does not know the chip of target.toml",
    "[Mm]ismatch|differ": "the flash does not hold what was written: power-cycle the board and try again",
}
_LOOK_S = 60.0


@dataclass(frozen=True)
class PyOcd:
    """pyOCD.

    Attributes:
        chip: as `pyocd list --targets` names it.
        pack: CMSIS pack to install first for chips that are not built in; None for those that are.
    """

    chip: str
    pack: str | None = None

    tool = "pyocd"
    verifies = True
    package = ("pyocd", "pip install 'dimmer-nn[boards]'")

    @classmethod
    def read(cls, table: Table) -> PyOcd:
        """Of [flash.pyocd]."""
        return cls(chip=table.text("chip"), pack=table.optional_text("pack"))

    def check(self) -> None:
        """PyOCD itself notices a wrong name only once a probe is there."""
        need(self)
        said = ask_tool(["pyocd", "list", "--targets"], _LOOK_S).stdout
        if not re.search(rf"^\s*{re.escape(self.chip)}\s", said, re.MULTILINE | re.IGNORECASE):
            way = f"type 'pyocd pack install {self.pack or self.chip}'"
            way = way if self.pack else f"look at 'pyocd list --targets', {way} if it has a pack"
            raise TargetError(f"pyocd knows no chip {self.chip}: {way}, or take another way with --tool")

    def commands(self, image: Written, where: Where) -> tuple[Command, Command]:
        """To write, and to compare."""
        # Its own words within one of the shell's; it takes many signs apart that a shell does not.
        compared = str(image.bin).replace("\\", "\\\\").replace('"', '\\"')
        common = ("--no-wait", "-t", self.chip, *(() if where.probe is None else ("-u", where.probe)))
        return (
            ("pyocd", "load", *common, "-a", f"{image.origin:#x}", "--format", "bin", str(image.bin)),
            ("pyocd", "commander", *common, "-c", f'compare {image.origin:#x} "{compared}"', "-c", "reset"),
        )

    def steps(self, image: Written, where: Where) -> Sequence[str]:
        """See Flasher."""
        write, compare = self.commands(image, where)
        return [*image.shown(write), shlex.join(compare)]

    def write(self, image: Written, where: Where, progress: Progress) -> None:
        """See Flasher."""
        self.check()
        write, compare = self.commands(image, where)
        run_tool(write, REASONS, progress, "writing")
        said = run_tool(compare, REASONS, progress, "comparing")
        if "bytes match" not in said:
            raise TargetError(f"pyocd: {REASONS['[Mm]ismatch|differ']}")
