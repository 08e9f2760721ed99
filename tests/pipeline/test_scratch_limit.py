# SPDX-License-Identifier: Apache-2.0
"""RAM against speed: ResNet-8 within 60,000 bytes with the fast kernels, within 40,000 with frugal ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.firmware_gen.modes import write_modes
from tests.pipeline.shared_models import RESNET, check_exact, figures_of

BOARD = "mps2-an386"
CODE = 24 * 1024


@pytest.mark.shared
@pytest.mark.board(BOARD)
@pytest.mark.parametrize(("limit", "ram", "instructions"), [(None, 60_000, 10_300_000), (6_000, 40_000, 13_800_000)])
def test_resnet(builds: Path, limit: int | None, ram: int, instructions: int) -> None:
    figures = figures_of(builds, RESNET, BOARD, limit=limit)
    mode = check_exact(figures)
    assert figures.ram.stack is not None
    assert figures.ram.arena + figures.ram.stack <= ram
    assert mode.instructions is not None
    assert mode.instructions <= instructions
    assert figures.flash.runtime_code <= CODE


@pytest.mark.board(BOARD)
def test_the_limit_is_an_option(tmp_path: Path) -> None:
    import typer

    from dimmer.pipeline.firmware import main

    path = write_modes(tmp_path)[0].path
    app = typer.Typer()
    app.command()(main)
    arenas = []
    for limit in ("400", "20000"):
        words = ["--tflite", str(path), "--samples", "0", "--out", str(tmp_path / "out"), "--scratch-limit", limit]
        said = CliRunner().invoke(app, words)
        assert said.exit_code == 0, said.output
        arenas.append(next(line for line in said.output.splitlines() if line.startswith("arena")))
    assert arenas[0] != arenas[1]
