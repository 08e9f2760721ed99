# SPDX-License-Identifier: Apache-2.0
import ctypes
from pathlib import Path

import pytest

from dimmer.firmware_gen.library import INCLUDE, sources
from dimmer.targets.kit.toolchain import compile_objects
from tests.firmware_gen.runtime.c_library import STRICT, compiler, load_library

CORES = {
    "m0": ["-mcpu=cortex-m0"],
    "m4f": ["-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"],
    "m55": ["-mcpu=cortex-m55", "-mfloat-abi=hard"],
}


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The whole runtime as a shared library that traps on undefined behaviour."""
    return load_library(tmp_path_factory.mktemp("runtime"), sources())


OBJECTS: dict[str, list[Path]] = {}


# Files of the others are compiled by most other tests.
SLOW_CORES = {"m4f": [pytest.mark.slow], "m55": [pytest.mark.slow]}
PARAMS = [
    pytest.param(core, marks=[pytest.mark.xdist_group(f"objects of {core}"), *SLOW_CORES.get(core, ())])
    for core in CORES
]


@pytest.fixture(params=PARAMS)
def objects(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Path]]:
    """A core and the object files of the whole runtime for it, which are made once in a run."""
    core = request.param
    if core not in OBJECTS:
        folder = tmp_path_factory.mktemp("objects")
        command = [compiler("arm-none-eabi-gcc"), *STRICT, "-mthumb", *CORES[core], f"-I{INCLUDE}"]
        made = compile_objects(command, sources(), folder, folder)
        named = [folder / f"{source.stem}.o" for source in sources()]
        OBJECTS[core] = [path.rename(name) for path, name in zip(made, named, strict=True)]
    return core, OBJECTS[core]
