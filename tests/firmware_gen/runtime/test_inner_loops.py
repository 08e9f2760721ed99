# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from dimmer.firmware_gen.library import INCLUDE, RUNTIME, kernel_sources
from tests.boards import EVERY_TARGET, at_level, rest_slow
from tests.firmware_gen.runtime.c_library import SANITIZED

LOOPS = [path for path in kernel_sources() if path.stem in ("dot", "dot_dsp", "dot_row", "walk", "walk_dsp")]


@pytest.mark.parametrize("name", EVERY_TARGET)
@pytest.mark.parametrize("optimisation", rest_slow(["-O1", "-O2", "-Os"], "-O2"))
def test_inner_loops(tmp_path: Path, name: str, optimisation: str) -> None:
    target = at_level(name, " ".join((optimisation, *SANITIZED)) if name == "host" else optimisation)
    source = Path(__file__).with_name("inner_loops_test.c")
    elf = target.compile([source, *LOOPS], [INCLUDE, RUNTIME], tmp_path)
    assert target.run(elf, [], tmp_path).returncode == 0
