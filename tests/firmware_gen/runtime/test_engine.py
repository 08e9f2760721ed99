# SPDX-License-Identifier: Apache-2.0
import subprocess
from pathlib import Path

import pytest

from dimmer.firmware_gen.library import engine_sources
from tests.firmware_gen.runtime.c_library import ASSERTING, SANITIZED, compile_c


@pytest.mark.parametrize(
    "flags",
    [pytest.param((), marks=pytest.mark.slow, id="plain"), pytest.param((*SANITIZED, *ASSERTING), id="sanitized")],
)
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_engine(tmp_path: Path, compiler: str, flags: tuple[str, ...]) -> None:
    own = [Path(__file__).with_name(name) for name in ("engine_test.c", "engine_battery_test.c")]
    program = compile_c(compiler, [*engine_sources(), *own], tmp_path / "engine", *flags)
    result = subprocess.run([program], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
