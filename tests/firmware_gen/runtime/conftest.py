# SPDX-License-Identifier: Apache-2.0
import ctypes
import subprocess
from pathlib import Path

import pytest

from dimmer.firmware_gen.library import INCLUDE, sources
from tests.firmware_gen.runtime.c_library import STRICT, compiler, load_library

CORES = {
    "m0": ["-mcpu=cortex-m0"],
    "m4f": ["-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"],
    "m33": ["-mcpu=cortex-m33", "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16"],
    "m55": ["-mcpu=cortex-m55", "-mfloat-abi=hard"],
}


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The whole runtime as a shared library that traps on undefined behaviour."""
    return load_library(tmp_path_factory.mktemp("runtime"), sources())


@pytest.fixture(scope="session", params=CORES)
def objects(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Path]]:
    """A core and the object files of the whole runtime for it."""
    folder = tmp_path_factory.mktemp("objects")
    command = [compiler("arm-none-eabi-gcc"), *STRICT, "-mthumb", *CORES[request.param], f"-I{INCLUDE}", "-c"]
    files = sources()
    result = subprocess.run([*command, *map(str, files)], cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return request.param, [folder / source.with_suffix(".o").name for source in files]
