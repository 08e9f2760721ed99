# SPDX-License-Identifier: Apache-2.0
"""The formats: what each build system wants beside the common files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dimmer.errors import DimmerError
from dimmer.firmware_gen.variants.cores import KINDS
from dimmer.pipeline.bundles.packaging.arduino import arduino_files
from dimmer.pipeline.bundles.packaging.cmake import cmake_files
from dimmer.pipeline.bundles.packaging.cmsis_pack import cmsis_pack_files, pack_name
from dimmer.pipeline.bundles.packaging.esp_idf import esp_idf_files
from dimmer.pipeline.bundles.packaging.examples import example_files
from dimmer.pipeline.bundles.packaging.package import Package
from dimmer.pipeline.bundles.packaging.platformio import platformio_files
from dimmer.pipeline.bundles.packaging.readme import readme
from dimmer.pipeline.bundles.packaging.zephyr import zephyr_files

ALL_CORES = tuple(kind.core for kind in KINDS)
ESP_CORES = ("rv32imc", "portable")


@dataclass(frozen=True)
class Format:
    """A build system.

    Attributes:
        title: its name.
        files: what it wants beside the common files.
        usage: template of how to use the package there, in Markdown.
        cores: that it gets tables for where nobody says.
        archive: file name of what is passed on, a zip.
        flat: the archive holds the files themselves, not their folder.
    """

    title: str
    files: Callable[[Package], Mapping[str, str]]
    usage: str
    cores: tuple[str, ...] = ALL_CORES
    archive: Callable[[Package], str] = lambda package: f"{package.symbol}-{package.version}.zip"
    flat: bool = False


FORMATS: Mapping[str, Format] = {
    "cmake": Format("CMake", cmake_files, "usage-cmake.md"),
    "zephyr": Format("Zephyr", zephyr_files, "usage-zephyr.md"),
    "platformio": Format("PlatformIO", platformio_files, "usage-platformio.md"),
    "arduino": Format("Arduino", arduino_files, "usage-arduino.md"),
    "cmsis-pack": Format("CMSIS-Pack", cmsis_pack_files, "usage-cmsis-pack.md", archive=pack_name, flat=True),
    "esp-idf": Format("ESP-IDF", esp_idf_files, "usage-esp-idf.md", ESP_CORES),
    "folder": Format("Your own build", example_files, "usage-folder.md"),
}
"""Name on the command line -> format."""


def find_format(name: str) -> Format:
    """A format by its name.

    Raises:
        DimmerError: there is none.
    """
    found = FORMATS.get(name)
    if found is None:
        raise DimmerError(f"--format {name!r}: there are {', '.join(FORMATS)}")
    return found


def files_of(package: Package, form: Format) -> dict[str, str]:
    """Path -> text of every file of a package in a format, sorted by path.

    Raises:
        DimmerError: the format's chips have no core that the package has tables for.
    """
    files = {**package.runtime, **package.model, **package.notices, **form.files(package)}
    files["README.md"] = readme(package, form.title, form.usage)
    return dict(sorted(files.items()))
