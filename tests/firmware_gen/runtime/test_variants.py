# SPDX-License-Identifier: Apache-2.0
"""Kernels for one instruction set compute what the portable ones do, on an emulated board that has it."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from dimmer.firmware_gen.library import INCLUDE
from dimmer.firmware_gen.variants import features_of
from dimmer.targets import load_target
from tests.boards import BOARD_PARAMS, at_level
from tests.firmware_gen.runtime.c_library import TRAPPING, kernels_of

M4, M55 = "mps2-an386", "mps3-an547"
DSP_BOARDS = [str(p.values[0]) for p in BOARD_PARAMS if "dsp" in features_of(load_target(str(p.values[0])).core)]
ALWAYS = {(M4, "-O2"), (M55, "-O2")}
"""M7 and M33 run what the M4 runs."""


def marked(name: str, *others: str, always: bool) -> ParameterSet:
    """Parameters of a test on a board."""
    return pytest.param(name, *others, marks=[pytest.mark.board(name), *([] if always else [pytest.mark.slow])])


@pytest.mark.parametrize(
    ("name", "optimisation"),
    [
        marked(name, level, always=(name, level) in ALWAYS)
        for name, level in itertools.product(DSP_BOARDS, ("-O1", "-O2", "-Os"))
    ],
)
@pytest.mark.parametrize(
    "program", ["conv_variants_test.c", pytest.param("narrow_variants_test.c", marks=pytest.mark.slow)]
)
def test_convolutions(tmp_path: Path, name: str, optimisation: str, program: str) -> None:
    target = at_level(name, optimisation)
    source = Path(__file__).with_name(program)
    elf = target.compile(
        [source, *kernels_of(target.core)], [INCLUDE], tmp_path, TRAPPING if optimisation == "-O1" else {}
    )
    assert target.run(elf, [], tmp_path).returncode == 0


@pytest.mark.parametrize("name", [marked(name, always=name == M55) for name in DSP_BOARDS])
def test_depthwise(tmp_path: Path, name: str) -> None:
    run_trapping(tmp_path, name, "depthwise_variants_test.c")


@pytest.mark.parametrize("name", [marked(name, always=name == M4) for name in DSP_BOARDS])
def test_scaled_sums(tmp_path: Path, name: str) -> None:
    run_trapping(tmp_path, name, "scaled_variants_test.c")


def run_trapping(tmp_path: Path, name: str, program: str) -> None:
    """A program of this folder that stops where a kernel's precondition does not hold."""
    target = load_target(name)
    source = Path(__file__).with_name(program)
    elf = target.compile([source, *kernels_of(target.core)], [INCLUDE], tmp_path, TRAPPING)
    assert target.run(elf, [], tmp_path).returncode == 0
