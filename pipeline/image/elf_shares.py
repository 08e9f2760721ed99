# SPDX-License-Identifier: Apache-2.0
"""What the bytes of a firmware's ELF file are for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection


@dataclass(frozen=True)
class ElfShares:
    """Bytes of an ELF file by origin: the generated weights, all other generated tables with the self-test's known
    answers, and the code of runtime and kernels without application, start-up and C library.
    """

    weights: int
    tables: int
    runtime_code: int


def elf_shares(elf: Path, runtime: Collection[str], model: str) -> ElfShares:
    """Adds up the symbols of an ELF file; a local symbol belongs to the source file named before it.

    Args:
        runtime: names of the C files of runtime and kernels.
        model: the C name of the generated model.
    """
    weights = tables = code = 0
    with elf.open("rb") as stream:
        for section in ELFFile(stream).iter_sections():
            if not isinstance(section, SymbolTableSection):
                continue
            file = ""
            for symbol in section.iter_symbols():
                kind, size = symbol["st_info"]["type"], symbol["st_size"]
                local = symbol["st_info"]["bind"] == "STB_LOCAL"
                if kind == "STT_FILE":
                    file = symbol.name
                elif kind == "STT_FUNC" and (symbol.name.startswith("dimmer_") or (local and file in runtime)):
                    code += size
                elif kind == "STT_OBJECT" and local and file == f"{model}.c":
                    weights += size if symbol.name.startswith(f"{model}_weights") else 0
                    tables += 0 if symbol.name.startswith(f"{model}_weights") else size
                elif kind == "STT_OBJECT" and symbol.name in (model, f"{model}_known_input", f"{model}_known_outputs"):
                    tables += size
    return ElfShares(weights, tables, code)
