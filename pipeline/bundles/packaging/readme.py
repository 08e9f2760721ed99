# SPDX-License-Identifier: Apache-2.0
"""README.md of a package: what is in it, how to add it, what it takes, what to mind."""

from __future__ import annotations

from dimmer.pipeline.bundles.packaging.package import Package
from dimmer.pipeline.bundles.packaging.templates import render

STACK = {"cortex-m55": 748, "cortex-m4": 524, "cortex-m3": 664, "cortex-m0plus": 688, "rv32imc": 624}
"""Kind of core -> bytes of stack that dimmer_invoke was proven to take, the larger of MLPerf Tiny's image
classification and keyword spotting, by arm-none-eabi-gcc and riscv64-unknown-elf-gcc 12 at -O2 (`dimmer firmware`).
"""


def readme(package: Package, title: str, usage: str) -> str:
    """The text.

    Args:
        title: of the build system.
        usage: template of the lines that say how to add the package there.
    """
    return render("README.md", package, title=title, usage=f"{usage}.j2", stack=STACK)
