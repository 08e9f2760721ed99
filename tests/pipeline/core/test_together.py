# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from dimmer import processes
from dimmer.errors import DimmerError
from dimmer.pipeline.core.command import add_command
from dimmer.pipeline.core.stage import Stage
from dimmer.pipeline.core.together import SharedStage, first_bar, together
from tests.forked import in_processes


def test_all_processes_run_a_shared_stage_and_the_first_keeps_it(tmp_path: Path) -> None:
    def run() -> tuple[bool, list[str]]:
        worked: list[str] = []

        def action(out: Path) -> None:
            from dimmer import processes

            worked.append("x")
            (out / "sum").write_text(str(sum(processes.gathered(processes.rank() + 1))))

        stage = Stage("added", tmp_path / "added", action, modules=("dimmer.errors",))
        cached = [SharedStage.of(stage).run().cached for _ in range(2)]
        return cached[-1], worked

    found = in_processes(tmp_path, 2, run)
    assert found == [(True, ["x"]), (False, ["x"])]
    assert (tmp_path / "added" / "sum").read_text() == "3"


def test_a_shared_verb_is_the_verb_alone(capsys: pytest.CaptureFixture[str]) -> None:
    @together
    def main() -> None:
        print(f"{processes.count()} here")

    main()
    assert capsys.readouterr().out == "1 here\n"
    with first_bar("work") as progress:
        progress("half", 0.5)


def test_other_verbs_refuse_to_run_several_times(monkeypatch: pytest.MonkeyPatch) -> None:
    def main() -> None:
        """Alone."""

    app = typer.Typer()
    add_command(app, main)
    assert CliRunner().invoke(app).exit_code == 0
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    assert isinstance(CliRunner().invoke(app).exception, DimmerError)
