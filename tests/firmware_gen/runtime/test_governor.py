# SPDX-License-Identifier: Apache-2.0
"""The governor's promises, step by step, with sanitizers; and the brown-out that no report undoes."""

import subprocess
from pathlib import Path

import pytest

from dimmer.firmware_gen.library import RUNTIME, engine_sources
from tests.firmware_gen.runtime.c_library import ASSERTING, SANITIZED, compile_c

PARTS = [RUNTIME / "src" / f"{name}.c" for name in ("governor", "share", "reading", "plan")]


def run(program: Path, *arguments: int) -> str:
    command = [str(program), *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.mark.parametrize(
    ("compiler", "steps"),
    [("gcc", 200_000), pytest.param("clang", 8_000_000, marks=pytest.mark.slow)],
)
def test_promises_hold_at_every_step(tmp_path: Path, compiler: str, steps: int) -> None:
    source = Path(__file__).with_name("governor_test.c")
    program = compile_c(compiler, [*PARTS, source], tmp_path / "governor", *SANITIZED, *ASSERTING)
    done, seeds = 0, 4
    for seed in range(seeds):
        done += int(run(program, steps // seeds, seed).split()[0])
    assert done >= steps


@pytest.mark.parametrize("rounds", [20_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_interrupts_only_lower(tmp_path: Path, rounds: int) -> None:
    source = Path(__file__).with_name("brown_out_test.c")
    program = compile_c("gcc", [*engine_sources(), source], tmp_path / "brown_out", *SANITIZED, *ASSERTING)
    lowered, bright = (int(word) for word in run(program, rounds).split() if word.isdigit())
    assert lowered > 0
    assert bright > 0
