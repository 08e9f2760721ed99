# SPDX-License-Identifier: Apache-2.0
"""Kernels for Helium compute what the portable ones do, on an emulated board that has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.firmware_gen.library import INCLUDE
from dimmer.firmware_gen.variants import features_of
from dimmer.targets import load_target
from tests.boards import BOARD_PARAMS, at_level
from tests.firmware_gen.runtime.c_library import TRAPPING, kernels_of

HELIUM_BOARDS = [board for board in BOARD_PARAMS if "mve" in features_of(load_target(str(board.values[0])).core)]


@pytest.mark.slow
@pytest.mark.parametrize("name", HELIUM_BOARDS)
@pytest.mark.parametrize(
    "optimisation", ["-O1", *(pytest.param(level, marks=pytest.mark.slow) for level in ("-O2", "-Os"))]
)
def test_kernels(tmp_path: Path, name: str, optimisation: str) -> None:
    target = at_level(name, optimisation)
    sources = [Path(__file__).with_name(program) for program in ("helium_test.c", "helium_conv_test.c")]
    elf = target.compile(
        [*sources, *kernels_of(target.core)], [INCLUDE], tmp_path, TRAPPING if optimisation == "-O1" else {}
    )
    assert target.run(elf, [], tmp_path).returncode == 0


def test_there_is_a_board() -> None:
    assert HELIUM_BOARDS
