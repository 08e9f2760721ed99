# SPDX-License-Identifier: Apache-2.0
"""CMake: two static libraries, the runtime and the model, to be added as sources, fetched, or installed and found."""

from __future__ import annotations

from dimmer.pipeline.bundles.packaging.examples import example_files
from dimmer.pipeline.bundles.packaging.package import Package
from dimmer.pipeline.bundles.packaging.templates import render


def cmake_files(package: Package) -> dict[str, str]:
    """CMakeLists.txt, what `find_package` reads, and an example."""
    return {
        "CMakeLists.txt": render("CMakeLists.txt", package),
        "cmake/config.cmake.in": render("config.cmake.in", package),
        **example_files(package),
    }
