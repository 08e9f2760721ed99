# SPDX-License-Identifier: Apache-2.0
"""The self-test of a package: the known input through every mode, a line each."""

from __future__ import annotations

from dimmer.pipeline.bundles.packaging.package import Package
from dimmer.pipeline.bundles.packaging.templates import render

MAIN = "examples/selftest/main.c"


def c_main(package: Package, main: str = "int main(void)") -> str:
    """A program in C that prints with `printf`; `main` is its entry."""
    return render("selftest.c", package, main=main, returns=main.startswith("int"))


def sketch(package: Package) -> str:
    """The same as a sketch for Arduino."""
    return render("selftest.ino", package)


def example_files(package: Package) -> dict[str, str]:
    """The program where a plain folder has it."""
    return {MAIN: c_main(package)}
