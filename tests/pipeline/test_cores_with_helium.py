"""MLPerf Tiny's models on a core with Helium: bit-exact on 200 inputs, and within their budgets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.shared_models import KWS, RESNET, check_exact, figures_of

BOARDS = [pytest.param("mps3-an547", marks=pytest.mark.board("mps3-an547"))]
BUDGETS = {RESNET: 2_200_000, KWS: 905_000}
CODE = 24 * 1024
ARENAS = {RESNET: 42_000, KWS: 28_000}


@pytest.mark.shared
@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("model", [RESNET, KWS], ids=lambda model: model.stem)
def test_model(board: str, model: Path, tmp_path: Path) -> None:
    figures = figures_of(model, board, tmp_path)
    mode = check_exact(figures)
    assert mode.instructions is not None
    assert mode.instructions <= BUDGETS[model]
    assert figures.flash.runtime_code <= CODE
    assert figures.ram.arena <= ARENAS[model]
    for step in figures.steps:
        assert step.macs < 1000 or step.kernel.endswith("_mve"), step
