# SPDX-License-Identifier: Apache-2.0
"""The Zephyr module: keys that Zephyr allows, a Kconfig that kconfiglib reads, a CMake list that compiles.

Zephyr itself is not here: its functions are three of a stub.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dimmer.pipeline.bundles.packaging.formats import FORMATS, files_of
from dimmer.pipeline.bundles.packaging.package import Package
from dimmer.pipeline.bundles.packaging.zephyr import SAMPLE, zephyr_files
from tests.pipeline.bundles.packaging.made import BOARD_MAIN, spread
from tests.pipeline.bundles.packaging.tools import tool

yaml = pytest.importorskip("yaml", reason="needs pyyaml, see requirements/docs.txt")

KEYS = {"name", "build", "tests", "samples", "boards", "blobs"}
BUILD = {"cmake", "kconfig", "cmake-ext", "kconfig-ext", "depends", "settings", "sysbuild-cmake", "sysbuild-kconfig"}

STUB = """\
cmake_minimum_required(VERSION 3.16)
project(stub LANGUAGES C CXX)
function(zephyr_library_named name)
  add_library(${name} STATIC)
  set(ZEPHYR_CURRENT_LIBRARY ${name} PARENT_SCOPE)
  set_property(GLOBAL APPEND PROPERTY LIBRARIES ${name})
endfunction()
function(zephyr_library_sources)
  target_sources(${ZEPHYR_CURRENT_LIBRARY} PRIVATE ${ARGN})
endfunction()
function(zephyr_include_directories)
  include_directories(${ARGN})
  set_property(GLOBAL APPEND PROPERTY PLACES ${ARGN})
endfunction()
foreach(module IN ITEMS MODULES)
  add_subdirectory(${module}/zephyr ${module}/build)
endforeach()
get_property(libraries GLOBAL PROPERTY LIBRARIES)
get_property(places GLOBAL PROPERTY PLACES)
add_executable(app main.cpp)
foreach(library IN LISTS libraries)
  target_include_directories(${library} PRIVATE ${places})
endforeach()
target_include_directories(app PRIVATE ${places})
target_link_libraries(app PRIVATE -Wl,--whole-archive ${libraries} -Wl,--no-whole-archive)
"""


def check_module(text: str, folder: Path) -> dict[str, Any]:
    """As Zephyr's scripts/zephyr_module.py does."""
    module: dict[str, Any] = yaml.safe_load(text)
    assert module.keys() <= KEYS
    assert module["build"].keys() <= BUILD
    assert (folder / module["build"]["cmake"] / "CMakeLists.txt").is_file()
    assert (folder / module["build"]["kconfig"]).is_file()
    for sample in module["samples"]:
        assert (folder / sample / "sample.yaml").is_file()
    return module


def test_the_module(blocks: Package, tmp_path: Path) -> None:
    folder = spread(files_of(blocks, FORMATS["zephyr"]), tmp_path)
    assert check_module((folder / "zephyr" / "module.yml").read_text(), folder)["name"] == "dimmer_blocks"
    sample = yaml.safe_load((folder / SAMPLE / "sample.yaml").read_text())
    assert list(sample["tests"]) == ["sample.dimmer_blocks.selftest"]
    # Twister looks for it anywhere in a line.
    (wanted,) = sample["tests"]["sample.dimmer_blocks.selftest"]["harness_config"]["regex"]
    assert re.search(wanted, "0 of 10 modes differ")
    assert not re.search(wanted, "10 of 10 modes differ")
    assert (folder / SAMPLE / "prj.conf").read_text() == "CONFIG_DIMMER_BLOCKS=y\n"
    with pytest.raises(AssertionError):
        check_module("name: x\nbuild: {cmake: zephyr, kconfig: zephyr/Kconfig}\nwrong: 1\n", folder)


def test_every_source_is_listed_once(blocks: Package) -> None:
    text = zephyr_files(blocks)["zephyr/CMakeLists.txt"]
    for path in (*blocks.runtime_sources, *blocks.model_sources):
        assert text.count(f"${{DIMMER_SOURCE}}/{path.removeprefix('src/')}\n") == 1, path


@pytest.mark.slow
def test_kconfiglib_reads_the_kconfig(blocks: Package, tmp_path: Path) -> None:
    folder = spread(zephyr_files(blocks), tmp_path)
    code = (
        "import sys, kconfiglib\n"
        "kconfig = kconfiglib.Kconfig(sys.argv[1], warn_to_stderr=False)\n"
        "kconfig.load_config(sys.argv[2])\n"
        "print(kconfig.warnings, kconfig.syms['DIMMER_BLOCKS'].str_value)\n"
    )
    places = folder / "zephyr" / "Kconfig", folder / SAMPLE / "prj.conf"
    done = tool("python", "-c", code, *places, cwd=tmp_path, home=tmp_path)
    assert done.stdout == "[] y\n", done.stderr


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cmake") is None, reason="needs cmake")
def test_two_modules_in_one_application_that_links_whole_libraries(
    blocks: Package, resnet: Package, tmp_path: Path
) -> None:
    for name, package in (("first", blocks), ("second", resnet)):
        spread(files_of(package, FORMATS["zephyr"]), tmp_path / name)
    main = BOARD_MAIN.format(symbol=resnet.symbol, macro=resnet.macro)
    spread({"CMakeLists.txt": STUB.replace("MODULES", "first second"), "main.cpp": main}, tmp_path)
    options = [f"-DCONFIG_{package.macro}=y" for package in (blocks, resnet)]
    subprocess.run(["cmake", "-S", tmp_path, "-B", tmp_path / "b", *options], check=True, capture_output=True)
    done = subprocess.run(["cmake", "--build", tmp_path / "b", "-j2"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    subprocess.run([tmp_path / "b" / "app"], check=True)
