# SPDX-License-Identifier: Apache-2.0
"""From a recipe to something to flash: every stage in its order, each run only if what it came from changed.

python -m pipeline.build --model mnist5k-r14 --target mps2-an386
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.artifacts.trained import check_gates_deployable, shipped_checkpoint, shipped_gates
from dimmer.pipeline.core.command import console, main_of, model_option, progress_bar, silence, target_option
from dimmer.pipeline.core.extras import require_extra, require_packages
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import StageResult
from dimmer.pipeline.core.targets import require_target_tools, scratch_option, with_scratch_limit
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.targets import Target, load_target


@dataclass(frozen=True)
class Step:
    """One stage of a build.

    Attributes:
        name: as it stands in the table and the report.
        run: does it; imports the stage's verb only then, so that asking for help costs nothing.
    """

    name: str
    run: Callable[[BuildContext, Progress], StageResult]


def _step(verb: str, name: str = "", target: Target | None = None, of_target: bool = True) -> Step:
    """``pipeline.<verb>.run`` for the build's own target, the one given, or without any."""

    def run(context: BuildContext, progress: Progress) -> StageResult:
        start = time.monotonic()
        # Weights and gates that come with the repository need no training.
        shipped = {"train": shipped_checkpoint, "train_gates": shipped_gates}.get(verb)
        if shipped is not None and shipped(context.recipe).is_file():
            return StageResult(verb, time.monotonic() - start, cached=True)
        run_verb: Callable[..., StageResult] = importlib.import_module(f"dimmer.pipeline.{verb}").run
        return run_verb(context.recipe, context.build_dir, *([target or context.target] if of_target else []), progress)

    return Step(name or verb, run)


def steps_for(target: Target, gated: bool = False) -> tuple[Step, ...]:
    """The stages of a build. The host's firmware is among them: the C is verified there too, and much faster.

    Args:
        gated: whether the model has gates.
    """
    host = load_target("host")
    gates = [_step("train_gates", "gates", of_target=False)] if gated else []
    after = [_step(verb, of_target=False) for verb in ("calibrate", "export", "convert")]
    before = [_step("train", of_target=False), *gates, *after]
    on_host = _step("firmware", "firmware (host)", host)
    own = {"tvm": (_step("tvm_module"), _step("jetson", "bundle")), "ethos-u": (_step("npu"), _step("verify_npu"))}
    if target.engine in own:
        # The host's C gives the accuracies; what is made for the target is verified by itself.
        return (*before, on_host, _step("verify", "verify (host)", host), *own[target.engine])
    compiled = [_step("firmware")] if target.name == "host" else [on_host, _step("firmware")]
    return (*before, *compiled, _step("verify"))


def build(context: BuildContext, steps: Sequence[Step] | None = None, quiet: bool = False) -> tuple[StageResult, ...]:
    """Run the stages in their order.

    Args:
        steps: instead of ``steps_for`` the target.
        quiet: show no progress.

    Raises:
        DimmerError: a tool, a package or gates that a build takes are missing; or a stage cannot be done.
    """
    check_gates_deployable(context.recipe)
    require_target_tools(context.target)
    require_packages(context.target.distributions, context.target.extra)
    require_extra("train")
    results = []
    for step in steps_for(context.target, context.recipe.gates.epochs > 0) if steps is None else steps:
        with silence() if quiet else progress_bar(step.name) as progress:
            result = step.run(context, progress)
        results.append(StageResult(step.name, result.seconds, result.cached))
    return tuple(results)


def main(
    target: Annotated[str, target_option],
    model: Annotated[str, model_option] = "mnist5k-r14",
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")] = False,
    scratch_limit: Annotated[int | None, scratch_option] = None,
    forecast: Annotated[bool | None, typer.Option(help="Say first what to expect; where training is long.")] = None,
) -> None:
    """Build a model for a target: train, calibrate, convert, compile, verify, report."""
    recipe, chosen = load_recipe(model), with_scratch_limit(load_target(target), scratch_limit)
    context = BuildContext(recipe, chosen, build_folder(recipe))
    from dimmer.pipeline.reporting.forecast import tell_before
    from dimmer.pipeline.reporting.report import make_report
    from dimmer.pipeline.reporting.summary import print_build

    tell_before(context, lambda short: build(short, quiet=quiet), forecast, quiet, console())
    stages = build(context, quiet=quiet)
    start = time.monotonic()
    data = make_report(context, stages)
    if not quiet:
        print_build(context, data, [*stages, StageResult("report", time.monotonic() - start, False)], console())


if __name__ == "__main__":
    main_of(main)
