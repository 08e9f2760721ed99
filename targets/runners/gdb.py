# SPDX-License-Identifier: Apache-2.0
"""GDB: whatever serves its protocol: OpenOCD, pyOCD, JLinkGDBServer, an emulator."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from dimmer.targets.kit.errors import TargetError
from dimmer.targets.kit.schema import Table
from dimmer.targets.runners.flasher import Progress, Where, Written, need, run_tool

REASONS = {
    "Connection refused|Connection timed out|could not connect": "no GDB server listens there: start the board's, or "
    "correct --port",
    "MIS-MATCHED": "the memory does not hold what was written: try again",
}
PORT = "localhost:3333"
_RISCV = b"\xf3\0"
"""An ELF file's machine, at bytes 18 and 19."""


def _is_riscv(image: Written) -> bool:
    with image.elf.open("rb") as stream:
        return stream.read(20)[18:] == _RISCV


@dataclass(frozen=True)
class Gdb:
    """GDB.

    Attributes:
        reset: commands of the server that halt the board before, and start it after; of OpenOCD's.
    """

    reset: tuple[str, ...] = ()

    tool = "gdb"
    verifies = True
    package = ("gdb-multiarch", "sudo apt-get install gdb-multiarch")

    @classmethod
    def read(cls, table: Table) -> Gdb:
        """Of [flash.gdb]."""
        return cls(table.texts("reset", required=False))

    def check(self) -> None:
        """The server knows the chip."""
        need(self)

    def command(self, image: Written, where: Where) -> list[str]:
        """The one command."""
        words = ["set confirm off", "set tcp connect-timeout 5", f"target extended-remote {where.port or PORT}"]
        words += [f"monitor {one}" for one in self.reset[:1]]
        words += [f'load "{image.elf}"', f'file "{image.elf}"', "compare-sections -r"]
        # A Cortex-M takes stack and program from its table; on RISC-V `load` has set the program counter.
        vectors = [f"set $sp = {{unsigned}}{image.origin:#x}", f"set $pc = {{unsigned}}{image.origin + 4:#x} & ~1"]
        words += [f"monitor {one}" for one in self.reset[1:]] or ([] if _is_riscv(image) else vectors)
        return ["gdb-multiarch", "-batch", "-nx", *(part for word in (*words, "detach") for part in ("-ex", word))]

    def steps(self, image: Written, where: Where) -> Sequence[str]:
        """See Flasher."""
        return [shlex.join(self.command(image, where))]

    def write(self, image: Written, where: Where, progress: Progress) -> None:
        """See Flasher."""
        self.check()
        said = run_tool(self.command(image, where), REASONS, progress, "writing and comparing")
        for sign, reason in REASONS.items():
            if any(one in said for one in sign.split("|")):
                raise TargetError(f"gdb: {reason}")
        if "matched" not in said:
            raise TargetError("gdb ended without having compared what it wrote: is the server the board's?")
