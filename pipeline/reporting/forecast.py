# SPDX-License-Identifier: Apache-2.0
"""What a build will come to, before it begins: all of it, with a short training on a share of the data."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.artifacts.checkpoint import training_folder
from dimmer.pipeline.artifacts.report import ReportData
from dimmer.pipeline.artifacts.trained import shipped_checkpoint
from dimmer.pipeline.core.partial import partial_of
from dimmer.pipeline.data.own import OwnData
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.recipe.sections.training import PolishSection, TeacherSection
from dimmer.pipeline.reporting.collect import collect
from dimmer.pipeline.reporting.summary import print_summary

if TYPE_CHECKING:
    from rich.console import Console

SAMPLES = 400
"""Of training, and half as many of validation and test each."""
WORTH_IT, SHORT = 3e11, 4e10
"""Multiply-accumulates of a training that is worth a forecast, minutes on two cores, and of the forecast's own."""
SHARE = 5
"""The part of the epochs that a forecast takes at most."""
MODES, VERIFIED = 2, 4
# Super-net and base-net, forwards and twice backwards.
_PASSES = 6


def is_worth_it(context: BuildContext) -> bool:
    """Whether a long training on data of one's own is ahead, and not yet begun."""
    recipe, training = context.recipe, training_folder(context.build_dir)
    begun = any(any(folder.glob("*.safetensors")) for folder in (training, partial_of(training)))
    if begun or shipped_checkpoint(recipe).is_file() or not isinstance(recipe.source, OwnData):
        return False
    return recipe.train.epochs * len(load_dataset(recipe.source).train) * _macs(recipe) > WORTH_IT


def shortened(recipe: Recipe, samples: int) -> Recipe:
    """The recipe for a share of the data.

    Args:
        samples: of the whole training split.
    """
    seen = min(samples, SAMPLES)
    epochs = max(1, min(round(SHORT / (_macs(recipe) * seen)), recipe.train.epochs // SHARE))
    batch = max(2, min(recipe.train.batch, seen // 4))
    parts = math.gcd(batch, recipe.train.accumulate)
    return replace(
        recipe,
        model=replace(recipe.model, most=SAMPLES),
        train=replace(recipe.train, epochs=epochs, batch=batch, accumulate=parts, drops=()),
        teacher=TeacherSection(),
        polish=PolishSection(),
        selection=replace(recipe.selection, limit=MODES, search=0, force=()),
        verify=replace(recipe.verify, images=VERIFIED),
    )


def forecast(context: BuildContext, build: Callable[[BuildContext], object]) -> tuple[ReportData, str]:
    """The report of a shortened build, and what was shortened in a sentence.

    Args:
        build: runs all stages.

    Raises:
        DimmerError: as `build`.
    """
    whole = len(load_dataset(context.recipe.source).train)
    short = shortened(context.recipe, whole)
    seen = len(load_dataset(short.source).train)
    done = short.train.epochs * seen / (context.recipe.train.epochs * whole)
    with children.scratch() as work:
        own = BuildContext(short, context.target, work / short.name)
        build(own)
        data = collect(own, ())
    return data, f"after {100 * done:.3g} % of the training, on {seen:,} of {whole:,} samples"


def tell_before(
    context: BuildContext, build: Callable[[BuildContext], object], wanted: bool | None, quiet: bool, console: Console
) -> None:
    """Prints the forecast of a build on data of one's own: where it is wanted, or where nobody says and it is worth it.

    Raises:
        DimmerError: as `build`, or it is wanted of a data set that is known.
    """
    if wanted and not isinstance(context.recipe.source, OwnData):
        raise DimmerError(f"--forecast is for data of your own; {context.recipe.name}'s figures are in the README")
    if wanted or (wanted is None and not quiet and is_worth_it(context)):
        print_forecast(*forecast(context, build), console)


def print_forecast(data: ReportData, share: str, console: Console) -> None:
    """What to expect, on the terminal."""
    from rich.text import Text

    line = Text.assemble(("To expect", "bold"), f", {share}; the whole training should do better:")
    console.print(line, highlight=False)
    print_summary(data, console)
    if data.energy is not None:
        times = ", ".join(f"{mode.name} {mode.milliseconds.value:,.3g} ms" for mode in data.energy.modes)
        console.print(f"An inference takes {times}", highlight=False, soft_wrap=True)
    console.print("Now the work.")


def _macs(recipe: Recipe) -> float:
    """Of a training step's share for one sample."""
    cost = recipe.model.config.cost()
    return _PASSES * float(cost.fixed + sum(sum(stage) for stage in cost.blocks))
