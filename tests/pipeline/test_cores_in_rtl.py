# SPDX-License-Identifier: Apache-2.0
"""MLPerf Tiny's keyword spotting on cores that are simulated from their RTL: as many cycles as ever, and bit-exact."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.benchmarks.count import key, read_baseline
from dimmer.pipeline.image.compiled import compile_modes
from dimmer.pipeline.image.events import ModeCounted, only, run_events
from dimmer.pipeline.image.order import foreign_order
from dimmer.targets import load_target
from tests.boards import QUICKEST, SLOW_SIMULATED_PARAMS
from tests.pipeline.shared_models import KWS, check_exact, figures_of


@pytest.mark.shared
@pytest.mark.board(QUICKEST)
def test_cycles_of_one_inference(tmp_path: Path) -> None:
    """One alone: it takes seconds."""
    baseline, target = read_baseline(), load_target(QUICKEST)
    if reason := baseline.other_compiler(QUICKEST):
        pytest.skip(reason)
    order = foreign_order([KWS], samples=0)
    elf = compile_modes(order, order.modes, target, tmp_path).elf
    (counted,) = only(ModeCounted, run_events(target, elf, ["bench"], tmp_path, count=True))
    before = baseline.counts[key(KWS, QUICKEST)]
    assert before.cycles is not None
    assert counted.cycles is not None
    assert counted.instructions is not None
    assert counted.cycles <= before.cycles * 1.02
    assert counted.instructions <= before.instructions * 1.02
    assert counted.instructions < counted.cycles


@pytest.mark.shared
@pytest.mark.parametrize("name", SLOW_SIMULATED_PARAMS)
def test_kws(builds: Path, name: str) -> None:
    figures = figures_of(builds, KWS, name, samples=1)
    mode = check_exact(figures, samples=1)
    assert mode.cycles is not None
    assert mode.cycles <= (read_baseline().counts[key(KWS, name)].cycles or 0) * 1.02
    parts = sum(step.cycles or 0 for step in figures.steps)
    # The engine's own loop, and reading the counters around each step.
    assert abs(mode.cycles - parts) < 100 + 40 * len(figures.steps)
