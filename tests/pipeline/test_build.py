# SPDX-License-Identifier: Apache-2.0
"""A build runs its stages in their order, checks the tools first, and says what it did."""

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from dimmer.errors import DimmerError
from dimmer.pipeline import build
from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.build import Step, steps_for
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import ROOT, StageResult
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.reporting.summary import print_stages
from dimmer.targets import load_target


@pytest.fixture
def context(tmp_path: Path) -> BuildContext:
    return BuildContext(load_recipe("mnist5k-r14"), load_target("host"), tmp_path / "mnist5k-r14")


def step(name: str, calls: list[str], cached: bool = False) -> Step:
    def run(context: BuildContext, progress: Progress) -> StageResult:
        progress("half of it", 0.5)
        calls.append(f"{name} for {context.target.name}")
        return StageResult("inner name", 1.5, cached)

    return Step(name, run)


def test_steps_run_in_their_order_under_their_names(context: BuildContext) -> None:
    calls: list[str] = []
    results = build.build(context, [step("calibrate", calls), step("convert", calls, cached=True)], quiet=True)
    assert calls == ["calibrate for host", "convert for host"]
    assert results == (StageResult("calibrate", 1.5, False), StageResult("convert", 1.5, True))


@pytest.mark.parametrize("check", ["require_target_tools", "require_packages", "require_extra"])
def test_what_is_missing_is_told_before_anything_runs(
    context: BuildContext, monkeypatch: pytest.MonkeyPatch, check: str
) -> None:
    def refuse(*_wanted: object) -> None:
        raise DimmerError("gcc not found")

    monkeypatch.setattr(build, check, refuse)
    calls: list[str] = []
    with pytest.raises(DimmerError, match="gcc not found"):
        build.build(context, [step("train", calls)], quiet=True)
    assert calls == []


def test_gates_that_no_build_takes_are_told_before_anything_runs(context: BuildContext) -> None:
    gates = replace(context.recipe.gates, epochs=1, backbone_lr=0.01)
    calls: list[str] = []
    with pytest.raises(DimmerError, match=r"gates\.backbone_lr: .* not built; set it to 0"):
        build.build(replace(context, recipe=replace(context.recipe, gates=gates)), [step("train", calls)], quiet=True)
    assert calls == []


def test_failing_step_stops_the_build(context: BuildContext) -> None:
    def fail(context: BuildContext, progress: Progress) -> StageResult:
        raise DimmerError("lamp is broken")

    calls: list[str] = []
    with pytest.raises(DimmerError, match="lamp is broken"):
        build.build(context, [Step("export", fail), step("convert", calls)], quiet=True)
    assert calls == []


def test_host_firmware_is_compiled_once() -> None:
    assert [s.name for s in steps_for(load_target("host"))].count("firmware") == 1
    names = [s.name for s in steps_for(load_target("mps2-an386"))]
    assert names == ["train", "calibrate", "export", "convert", "firmware (host)", "firmware", "verify"]


def test_shipped_weights_need_no_training(context: BuildContext, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = context.build_dir / "checkpoint.safetensors"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    monkeypatch.setattr("dimmer.pipeline.build.shipped_checkpoint", lambda recipe: checkpoint)
    (train, *_) = steps_for(context.target)
    assert train.run(context, lambda text, share: None).cached


def test_stage_table_tells_seconds_and_what_was_unchanged() -> None:
    file = io.StringIO()
    print_stages([StageResult("train", 12.25, False), StageResult("convert", 0.04, True)], Console(file=file))
    lines = [line.split() for line in file.getvalue().splitlines()]
    assert ["│", "train", "│", "12.2", "│", "done", "│"] in lines
    assert ["│", "convert", "│", "0.0", "│", "unchanged", "│"] in lines


def test_unknown_target_is_one_line_and_exit_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dimmer.pipeline.build", "--target", "lighthouse"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: unknown target 'lighthouse'")
    assert done.stderr.count("\n") == 1


def test_asking_for_a_build_does_not_import_tensorflow() -> None:
    # Its start alone takes longer than a whole build in which nothing changed may take.
    code = "import sys, pipeline.build; sys.exit('tensorflow' in sys.modules or 'matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
