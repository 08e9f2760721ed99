# SPDX-License-Identifier: Apache-2.0
"""ESP-IDF: a component, and an example that uses it from beside."""

from __future__ import annotations

from dimmer.errors import DimmerError
from dimmer.pipeline.bundles.packaging.examples import c_main
from dimmer.pipeline.bundles.packaging.package import Package
from dimmer.pipeline.bundles.packaging.templates import render

RISCV = ("esp32c2", "esp32c3", "esp32c5", "esp32c6", "esp32h2", "esp32p4")
XTENSA = ("esp32", "esp32s2", "esp32s3")
SAMPLE = "examples/selftest"

_LICENCE = "# SPDX-License-Identifier: Apache-2.0\n"
_PROJECT = f"""{_LICENCE}cmake_minimum_required(VERSION 3.16)
include($ENV{{IDF_PATH}}/tools/cmake/project.cmake)
project(selftest)
"""
_DEPENDS = """dependencies:
  {symbol}:
    version: "*"
    override_path: ../../..
"""


def esp_idf_files(package: Package) -> dict[str, str]:
    """The component's files and an example.

    Raises:
        DimmerError: the package has tables for no core that these chips have.
    """
    cores = {kind.core for kind in package.kinds}
    any_core = "portable" in cores
    if not any_core and "rv32imc" not in cores:
        raise DimmerError("ESP-IDF's chips are RISC-V or Xtensa: add --core rv32imc or --core portable")
    targets = (*RISCV, *XTENSA) if any_core else RISCV
    return {
        "idf_component.yml": render("idf_component.yml", package, targets=sorted(targets)),
        "CMakeLists.txt": render("idf-CMakeLists.txt", package),
        f"{SAMPLE}/CMakeLists.txt": _PROJECT,
        f"{SAMPLE}/main/CMakeLists.txt": _LICENCE + "idf_component_register(SRCS main.c)\n",
        f"{SAMPLE}/main/idf_component.yml": _LICENCE + _DEPENDS.format(symbol=package.symbol),
        f"{SAMPLE}/main/main.c": c_main(package, "void app_main(void)"),
    }
