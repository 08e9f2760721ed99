# SPDX-License-Identifier: Apache-2.0
"""The C library as files: what is compiled together with a generated model, and where its public headers lie."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

RUNTIME = Path(__file__).resolve().parent / "runtime"
# For the compiler's -I; the library's own files need no other folder.
INCLUDE = RUNTIME / "include"


def engine_sources() -> list[Path]:
    """The C files that every model needs, and those of gates."""
    return sorted((RUNTIME / "src").glob("*.c"))


def kernel_sources(kernels: Sequence[str] | None = None) -> list[Path]:
    """The C files of the kernels that are named, or of all, and of what kernels share.

    Sorted by the file's name whatever its folder: the linker lays functions out in this order, so that a kernel that
    moves to another folder leaves the firmware as it was.
    """
    files = sorted((RUNTIME / "kernels").glob("*/*.c"), key=lambda path: path.name)
    if kernels is not None:
        files = [path for path in files if not path.name.startswith("dimmer_") or path.stem in kernels]
    return files


def feature_sources() -> list[Path]:
    """The C files of front ends and detectors: what no model needs, for programs that call them."""
    return sorted((RUNTIME / "features").glob("*.c"))


def sources(kernels: Sequence[str] | None = None) -> list[Path]:
    """All C files of a firmware but the generated ones; `kernels` as in `kernel_sources`."""
    return engine_sources() + kernel_sources(kernels)


def entry_points() -> tuple[str, ...]:
    """The functions of `include/dimmer.h`, in its order."""
    return tuple(re.findall(r"^[a-z][\w *]*\b(dimmer_\w+)\(", (INCLUDE / "dimmer.h").read_text(), re.MULTILINE))


def npu_sources() -> list[Path]:
    """The C files of a model for an NPU, beside those of the engine."""
    return sorted((RUNTIME / "npu").glob("*.c"))
