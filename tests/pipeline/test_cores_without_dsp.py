# SPDX-License-Identifier: Apache-2.0
"""MLPerf Tiny's models on cores that multiply word by word: bit-exact, on 200 inputs where slow, and within budgets."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.targets import load_target
from tests.pipeline.shared_models import KWS, RESNET, SAMPLES, check_exact, figures_of

BUDGETS = {"mps2-an385": 16_000_000, "mps2-an385-v6m": 24_000_000, "riscv-virt": 22_000_000}
BOARDS = [pytest.param(name, marks=pytest.mark.board(name)) for name in BUDGETS]


@pytest.mark.shared
@pytest.mark.parametrize("samples", SAMPLES)
@pytest.mark.parametrize("board", BOARDS)
def test_resnet(builds: Path, board: str, samples: int) -> None:
    figures = figures_of(builds, RESNET, board, samples)
    mode = check_exact(figures, samples)
    assert mode.instructions is not None
    assert mode.instructions <= BUDGETS[board]
    assert {step.kernel for step in figures.steps} >= {"dimmer_conv2d_s8_winograd", "dimmer_conv2d_s8_pairs"}
    limit = load_target(board).scratch_limit
    assert all(choice.chosen.scratch <= max(limit, choice.allowed) for choice in figures.choices)


@pytest.mark.shared
@pytest.mark.parametrize("samples", SAMPLES)
@pytest.mark.parametrize("board", BOARDS)
def test_kws(builds: Path, board: str, samples: int) -> None:
    check_exact(figures_of(builds, KWS, board, samples), samples)
