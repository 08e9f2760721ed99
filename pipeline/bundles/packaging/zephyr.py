# SPDX-License-Identifier: Apache-2.0
"""Zephyr: a module with Kconfig, and a sample."""

from __future__ import annotations

from dimmer.pipeline.bundles.packaging.examples import c_main
from dimmer.pipeline.bundles.packaging.package import Package
from dimmer.pipeline.bundles.packaging.templates import render

SAMPLE = "samples/selftest"


def zephyr_files(package: Package) -> dict[str, str]:
    """The module's files and a sample."""
    return {
        "zephyr/module.yml": render("module.yml", package, sample=SAMPLE),
        "zephyr/CMakeLists.txt": render("zephyr-CMakeLists.txt", package),
        "zephyr/Kconfig": render("Kconfig", package),
        f"{SAMPLE}/CMakeLists.txt": render("sample-CMakeLists.txt", package),
        f"{SAMPLE}/prj.conf": f"CONFIG_{package.macro}=y\n",
        f"{SAMPLE}/sample.yaml": render("sample.yaml", package),
        f"{SAMPLE}/src/main.c": c_main(package),
    }
