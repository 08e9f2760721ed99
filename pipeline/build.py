"""From a recipe to something to flash: every stage in its order, each run only if what it came from changed.

python -m pipeline.build --model mnist5k-r14 --target mps2-an386
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from dimmer.pipeline.artifacts.context import BuildContext, build_folder
from dimmer.pipeline.core.command import console, main_of, model_option, progress_bar
from dimmer.pipeline.core.debian import require_tools
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import StageResult
from dimmer.pipeline.core.targets import scratch_option, with_scratch_limit
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.targets import Target, load_target

if TYPE_CHECKING:
    from rich.console import Console

    from dimmer.pipeline.artifacts.report import ReportData


@dataclass(frozen=True)
class Step:
    """One stage of a build.

    Attributes:
        name: as it stands in the table and the report.
        run: does it; imports the stage's module only then, so that asking for help costs nothing.
    """

    name: str
    run: Callable[[BuildContext, Progress], StageResult]


def _model_step(name: str) -> Step:
    """A stage that knows nothing of targets: ``pipeline.<name>.run(recipe, build_dir, progress)``."""

    def run(context: BuildContext, progress: Progress) -> StageResult:
        result: StageResult = _module(name).run(context.recipe, context.build_dir, progress)
        return result

    return Step(name, run)


def _target_step(name: str, target: str | None = None) -> Step:
    """``pipeline.<name>.run(recipe, build_dir, target, progress)`` for the build's own target, or the one named."""

    def run(context: BuildContext, progress: Progress) -> StageResult:
        chosen = context.target if target is None else load_target(target)
        result: StageResult = _module(name).run(context.recipe, context.build_dir, chosen, progress)
        return result

    return Step(name if target is None else f"{name} ({target})", run)


def _train(context: BuildContext, progress: Progress) -> StageResult:
    """Weights that come with the repository need no training."""
    start = time.monotonic()
    if _module("checkpoint").shipped_checkpoint(context.recipe).is_file():
        return StageResult("train", time.monotonic() - start, cached=True)
    result: StageResult = _module("train").run(context.recipe, context.build_dir, progress)
    return result


def _gates(context: BuildContext, progress: Progress) -> StageResult:
    """As for the weights."""
    start = time.monotonic()
    if _module("checkpoint").shipped_gates(context.recipe).is_file():
        return StageResult("gates", time.monotonic() - start, cached=True)
    result: StageResult = _module("train_gates").run(context.recipe, context.build_dir, progress)
    return result


def _bundle(context: BuildContext, progress: Progress) -> StageResult:
    result: StageResult = _module("jetson").run(context.recipe, context.build_dir, context.target, progress)
    return result


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"dimmer.pipeline.{name}")


def steps_for(target: Target, gated: bool = False) -> tuple[Step, ...]:
    """The stages of a build. The host's firmware is among them: the C is verified there too, and much faster.

    Args:
        gated: whether the model has gates.
    """
    compiled: tuple[Step, ...] = (_target_step("firmware"),)
    if target.name != "host":
        compiled = (_target_step("firmware", "host"), *compiled)
    before: tuple[Step, ...] = (
        Step("train", _train),
        _model_step("calibrate"),
        _model_step("export"),
        _model_step("convert"),
    )
    if gated:
        before = (before[0], Step("gates", _gates), *before[1:])
    if target.engine == "tvm":
        # The host's C gives the accuracies; the bundle's self-test is its own verification.
        return (
            *before,
            compiled[0],
            _target_step("verify", "host"),
            _target_step("tvm_module"),
            Step("bundle", _bundle),
        )
    return (*before, *compiled, _target_step("verify"))


def build(context: BuildContext, steps: Sequence[Step] | None = None, quiet: bool = False) -> tuple[StageResult, ...]:
    """Run the stages in their order.

    Args:
        steps: instead of ``steps_for`` the target.
        quiet: show no progress.

    Raises:
        DimmerError: a compiler or emulator is missing, or a stage cannot be done.
    """
    # Before the training, not hours later when the compiler is needed.
    require_tools(context.target.tools)
    results = []
    for step in steps_for(context.target, context.recipe.gates.epochs > 0) if steps is None else steps:
        with _silence() if quiet else progress_bar(step.name) as progress:
            result = step.run(context, progress)
        results.append(StageResult(step.name, result.seconds, result.cached))
    return tuple(results)


@contextmanager
def _silence() -> Iterator[Progress]:
    yield lambda _text, _share: None


def report(context: BuildContext, stages: Sequence[StageResult]) -> ReportData:
    """Gather every figure, write report.json and report.html, put the deliverables into the target's folder."""
    from dimmer.pipeline.reporting.collect import collect
    from dimmer.pipeline.reporting.deliver import publish
    from dimmer.pipeline.reporting.page import write_report

    data = collect(context, stages)
    publish(context)
    write_report(data, context.target_dir)
    return data


def print_stages(stages: Sequence[StageResult], console: Console) -> None:
    """The stages, how long each took now, and which had nothing to do."""
    from rich.table import Table

    table = Table(title="Stages", title_justify="left", title_style="bold")
    table.add_column("stage")
    table.add_column("seconds", justify="right")
    table.add_column("")
    for stage in stages:
        table.add_row(stage.name, f"{stage.seconds:,.1f}", "unchanged" if stage.cached else "done")
    table.add_row("total", f"{sum(stage.seconds for stage in stages):,.1f}", "", style="bold")
    console.print(table)


def main(
    target: Annotated[str, typer.Option("--target", help="A folder under targets/.")],
    model: Annotated[str, model_option] = "mnist5k-r14",
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")] = False,
    scratch_limit: Annotated[int | None, scratch_option] = None,
) -> None:
    """Build a model for a target: train, calibrate, convert, compile, verify, report."""
    chosen = with_scratch_limit(load_target(target), scratch_limit)
    recipe = load_recipe(model)
    context = BuildContext(recipe, chosen, build_folder(recipe))
    stages = build(context, quiet=quiet)
    start = time.monotonic()
    data = report(context, stages)
    if quiet:
        return
    from dimmer.pipeline.reporting.summary import print_summary

    terminal = console()
    print_stages([*stages, StageResult("report", time.monotonic() - start, cached=False)], terminal)
    print_summary(data, terminal)
    made = "firmware.elf" if chosen.engine == "tables" else f"bundle/{context.build_dir.name}"
    terminal.print(
        f"[bold]{context.target_dir}[/bold]: {made}, report.html, report.json", highlight=False, soft_wrap=True
    )


if __name__ == "__main__":
    main_of(main)
