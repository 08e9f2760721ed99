# SPDX-License-Identifier: Apache-2.0
"""A kernel of the DSP extension took memcpy's void pointer for another one, which C++ does not do. Compilers of C++ saw
kernels of one instruction set among the slow tests alone.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dimmer.firmware_gen.library import INCLUDE, kernel_sources
from dimmer.targets.kit.toolchain import compile_objects

CORES = {
    "arm-none-eabi-g++ -mthumb -mcpu=cortex-m0": ["words"],
    "arm-none-eabi-g++ -mthumb -mcpu=cortex-m55 -mfloat-abi=hard": ["dsp", "helium"],
}


@pytest.mark.board
@pytest.mark.parametrize(
    ("command", "rooms"), [pytest.param(*core, id=core[0].split("=")[1]) for core in CORES.items()]
)
def test_kernels_of_an_instruction_set_are_cxx(tmp_path: Path, command: str, rooms: list[str]) -> None:
    """Types are right or wrong before any code is generated, at which -O0 is quick."""
    words = [*command.split(), "-x", "c++", "-std=c++17", "-O0", "-Wall", "-Wextra", "-Wpedantic", "-Wundef", "-Werror"]
    if not shutil.which(words[0]):
        pytest.skip(f"{words[0]} is not installed")
    files = [path for path in kernel_sources() if path.parent.name in rooms]
    assert len(compile_objects([*words, f"-I{INCLUDE}"], files, tmp_path, tmp_path)) == len(files) > 0
