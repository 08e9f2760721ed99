# SPDX-License-Identifier: Apache-2.0
"""Small programs, compiled and linked for a core, whose frames are known."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dimmer.targets.stack.program import Program, UnprovenError
from dimmer.targets.stack.proof import Depth, Prover

ARM, RISCV = "arm-none-eabi", "riscv64-unknown-elf"
CORES: Mapping[str, tuple[str, ...]] = {
    "cortex-m0plus": (ARM, "-mcpu=cortex-m0plus", "-mthumb"),
    "cortex-m4": (ARM, "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"),
    "cortex-m55": (ARM, "-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard"),
    "rv32imac": (RISCV, "-march=rv32imac", "-mabi=ilp32", "-mcmodel=medany"),
}


def objdump(core: str) -> str:
    """The disassembler for a core."""
    return f"{CORES[core][0]}-objdump"


def linked(folder: Path, core: str, text: str, flags: Sequence[str] = ("-O2",)) -> Path:
    """An ELF file of a C text, with libgcc and no start-up code. It begins with `start`."""
    prefix, *machine = CORES[core]
    source, elf = folder / "program.c", folder / "program.elf"
    source.write_text(text)
    command = [
        f"{prefix}-gcc",
        *machine,
        *flags,
        "-ffreestanding",
        "-nostdlib",
        "-Wl,-e,start",
        "-Wl,--emit-relocs",
        str(source),
    ]
    subprocess.run([*command, "-lgcc", "-o", str(elf)], check=True, cwd=folder)
    return elf


@dataclass(frozen=True)
class Proofs:
    """What is proven of a program."""

    prover: Prover

    @classmethod
    def of(cls, elf: Path, core: str, pointed: Mapping[str, Sequence[str]] | None = None) -> Proofs:
        """Reads a program.

        Args:
            pointed: function with a call through a pointer -> who it can be.
        """
        program = Program.read(elf, objdump(core))

        def resolve(address: int) -> list[int]:
            caller = program.function_at(address)
            if caller is None or caller.plain not in (pointed or {}):
                raise UnprovenError(f"{program.name_of(address)} calls through a pointer, and nothing says whom")
            return [f.address for name in (pointed or {})[caller.plain] for f in program.named(name)]

        return cls(Prover(program, resolve))

    def depth(self, name: str) -> Depth:
        """Of a function and all that it calls."""
        return self.prover.depth(self.prover.program.named(name)[0].address)

    def frame(self, name: str) -> int:
        """Bytes of a function by itself."""
        return self.prover.frame(self.prover.program.named(name)[0].address).depth

    def __getitem__(self, name: str) -> int:
        """Bytes of a function and all that it calls."""
        return self.depth(name).bytes


def assembly(functions: Mapping[str, str]) -> str:
    """A C text of functions that are all assembly, which `start` calls."""
    lines = {name: " ".join(f'"{line.strip()}\\n\\t"' for line in text.split(";")) for name, text in functions.items()}
    calls = " ".join(f"{name}();" for name in functions)
    return "\n".join(
        [
            *(f"void {name}(void);" for name in (*functions, "start")),
            *(
                f"__attribute__((naked)) void {name}(void) {{ __asm__ volatile({text}); }}"
                for name, text in lines.items()
            ),
            f"void start(void) {{ {calls} }}",
            "",
        ]
    )
