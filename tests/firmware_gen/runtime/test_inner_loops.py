# SPDX-License-Identifier: Apache-2.0
import dataclasses
from pathlib import Path

import pytest

from dimmer.firmware_gen.library import INCLUDE, RUNTIME, kernel_sources
from dimmer.targets import load_target
from tests.boards import EVERY_TARGET, rest_slow
from tests.firmware_gen.runtime.c_library import SANITIZED

LOOPS = [path for path in kernel_sources() if path.stem in ("dot", "dot_dsp", "dot_row", "walk", "walk_dsp")]


@pytest.mark.parametrize("name", EVERY_TARGET)
@pytest.mark.parametrize("optimisation", rest_slow(["-O1", "-O2", "-Os"], "-O2"))
def test_inner_loops(tmp_path: Path, name: str, optimisation: str) -> None:
    target = load_target(name)
    flags = (*(flag for flag in target.toolchain.flags if flag != "-O2"), optimisation)
    if name == "host":
        flags += SANITIZED
    target = dataclasses.replace(target, toolchain=dataclasses.replace(target.toolchain, flags=flags))
    source = Path(__file__).with_name("inner_loops_test.c")
    elf = target.compile([source, *LOOPS], [INCLUDE, RUNTIME], tmp_path)
    assert target.run(elf, [], tmp_path).returncode == 0
