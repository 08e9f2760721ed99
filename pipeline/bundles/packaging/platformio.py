# SPDX-License-Identifier: Apache-2.0
"""PlatformIO: library.json."""

from __future__ import annotations

import json

from dimmer.firmware_gen.variants.cores import Kind
from dimmer.pipeline.bundles.packaging.examples import example_files
from dimmer.pipeline.bundles.packaging.package import Package

_ARM = ("atmelsam", "nordicnrf52", "raspberrypi", "ststm32", "teensy")
_PLATFORMS = {"rv32imc": ("espressif32", "gd32v")}
"""PlatformIO's platforms that have such cores; those of Arm have several kinds each."""


def platforms(kinds: tuple[Kind, ...]) -> list[str]:
    """The platforms that a package is for: every one where it has tables for any core.

    Example:
        >>> from dimmer.firmware_gen.variants.cores import kind_of
        >>> platforms((kind_of("rv32imc"),))
        ['espressif32', 'gd32v']
    """
    if any(not kind.condition for kind in kinds):
        return ["*"]
    return sorted({name for kind in kinds for name in _PLATFORMS.get(kind.core, _ARM)})


def platformio_files(package: Package) -> dict[str, str]:
    """The manifest and an example."""
    name, address = package.publisher.maintainer.rstrip(">").split(" <")
    manifest = {
        "name": package.symbol,
        "version": package.version,
        "description": f"The neural network {package.title} as C, by Dimmer",
        "keywords": ["neural-network", "tinyml", "inference"],
        "homepage": package.publisher.url,
        "authors": [{"name": name, "email": address, "maintainer": True}],
        "license": "Apache-2.0",
        "frameworks": "*",
        "platforms": platforms(package.kinds),
        "headers": [path.removeprefix("src/") for path in package.model_headers],
        "build": {"srcDir": "src", "includeDir": "src", "libArchive": True},
        "examples": [{"name": "selftest", "base": "examples/selftest", "files": ["main.c"]}],
    }
    return {"library.json": json.dumps(manifest, indent=2) + "\n", **example_files(package)}
