# SPDX-License-Identifier: Apache-2.0
"""Preconditions are checked where DIMMER_ASSERT says how, and cost nothing elsewhere."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from dimmer.firmware_gen.library import sources
from tests.firmware_gen.runtime.c_library import ASSERTING, SANITIZED, compile_c, output_of

PROGRAM = Path(__file__).with_name("assert_test.c")
LIBRARY = sources(["dimmer_copy_s8", "dimmer_conv2d_s8"])
BROKEN = {
    1: ("engine.c", "d != NULL"),
    2: ("invoke.c", "d != NULL"),
    3: ("policy.c", "policy->tier_count >= 1u"),
    4: ("require.h", "(uintptr_t)arena % DIMMER_ARENA_ALIGN == 0u"),
    5: ("dimmer_copy_s8.c", "r->input_blob <= DIMMER_IN_WEIGHTS"),
    6: ("require.h", "model != NULL"),
    7: ("require.h", "r->stride_h >= 1u"),
    8: ("require.h", "r->weight_bits == 8u"),
    9: ("require.h", "dimmer_shifts_within(model->shifts + r->shifts, r->output_c, low, high)"),
    10: ("dimmer_fixed_point.h", "shift <= 30"),
    11: ("crc.c", "data != NULL || size == 0u"),
    12: ("engine.c", "d != NULL"),
    13: ("govern.c", "d != NULL"),
    14: ("governor.c", "g != NULL && now != NULL"),
    15: ("plan.c", "g != NULL"),
    16: ("plan.c", "g != NULL"),
    17: ("gates.c", "model->gates != NULL"),
}


pytestmark = pytest.mark.xdist_group("asserting")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("assert") / "asserting"
    return compile_c("gcc", [*LIBRARY, PROGRAM], output, *SANITIZED, *ASSERTING)


def run(program: Path, number: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, str(number)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("number", BROKEN)
def test_what_is_broken_is_told(program: Path, number: int) -> None:
    file, condition = BROKEN[number]
    done = run(program, number)
    assert done.returncode == -signal.SIGABRT
    assert f"/{file}:" in done.stderr
    assert condition in done.stderr


def test_what_is_not_broken_runs(program: Path) -> None:
    assert run(program, 0).returncode == 0


@pytest.mark.parametrize("compiler", ["gcc", pytest.param("clang", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "define",
    [
        "-DDIMMER_ASSERT(c)=((c) ? (void)0 : __builtin_trap())",
        pytest.param("-DDIMMER_ASSERT=my_assert", marks=pytest.mark.slow),
    ],
)
def test_a_compiler_s_option_is_enough(tmp_path: Path, compiler: str, define: str) -> None:
    declared = tmp_path / "my.h"
    declared.write_text("void my_assert(int condition);\n")
    mine = tmp_path / "my.c"
    mine.write_text('#include "my.h"\nvoid my_assert(int condition) { if (!condition) __builtin_trap(); }\n')
    flags = (define, "-include", str(declared))
    program = compile_c(compiler, [*LIBRARY, PROGRAM, mine], tmp_path / "own", *flags)
    assert run(program, 0).returncode == 0
    assert run(program, 4).returncode in (-signal.SIGILL, -signal.SIGTRAP)


def test_without_it_no_code_comes_of_it(tmp_path: Path) -> None:
    source = next(path for path in sources() if path.name == "dimmer_copy_s8.c")
    bare = compile_c("gcc", [source], tmp_path / "bare.o", "-c")
    full = compile_c("gcc", [source], tmp_path / "full.o", "-c", *ASSERTING)
    text = [output_of("size", path).splitlines()[1].split()[0] for path in (bare, full)]
    assert int(text[0]) < int(text[1])
    assert "abort" not in output_of("nm", "-u", bare)
    assert "abort" in output_of("nm", "-u", full)
