# SPDX-License-Identifier: Apache-2.0
"""MLPerf Tiny's models on a core with Helium: bit-exact, on 200 inputs where slow, and within their budgets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.shared_models import KWS, RESNET, SAMPLES, check_exact, figures_of

BOARDS = [pytest.param("mps3-an547", marks=pytest.mark.board("mps3-an547"))]
BUDGETS = {RESNET: 2_200_000, KWS: 905_000}
CODE = 24 * 1024
ARENAS = {RESNET: 42_000, KWS: 28_000}


@pytest.mark.shared
@pytest.mark.parametrize("samples", SAMPLES)
@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("model", [RESNET, pytest.param(KWS, marks=pytest.mark.slow)], ids=lambda model: model.stem)
def test_model(builds: Path, board: str, model: Path, samples: int) -> None:
    figures = figures_of(builds, model, board, samples)
    mode = check_exact(figures, samples)
    assert mode.instructions is not None
    assert mode.instructions <= BUDGETS[model]
    assert figures.flash.runtime_code <= CODE
    assert figures.ram.arena <= ARENAS[model]
    for step in figures.steps:
        assert step.macs < 1000 or step.kernel.endswith("_mve"), step
