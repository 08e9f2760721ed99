# SPDX-License-Identifier: Apache-2.0
"""Calibration: from a trained network to the modes worth publishing and the range of every tensor in them.

For every candidate (all depth patterns at every trained width, and the best mixed widths that a search by sensitivity
finds): batch-norm statistics of its own where validation accuracy gains by them; then, for all
patterns together, one range for each group of tensors (block boundaries of a stage share theirs), by the estimator
that disturbs the logits least; then the accuracy of the quantised modes on the validation images, and of these the
Pareto front.

    python -m pipeline.calibrate --model mnist5k-r14
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

from dimmer.pipeline.artifacts.calibration import Calibration
from dimmer.pipeline.artifacts.trained import find_checkpoint
from dimmer.pipeline.core.command import main_of, model_option
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import Json, Stage, StageResult
from dimmer.pipeline.core.together import SharedStage, first_bar, together
from dimmer.pipeline.data.registry import hash_of_all
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from dimmer.processes import is_first


def stage(recipe: Recipe, build: Path, progress: Progress) -> Stage:
    """The stage: build/<model>/train -> build/<model>/calibrate."""
    checkpoint = find_checkpoint(recipe, build)

    def action(out: Path) -> None:
        from dimmer.pipeline.artifacts.trained import load_network
        from dimmer.pipeline.subnets.calibrated import calibrate
        from dimmer.pipeline.subnets.order import order_of

        calibrate(order_of(recipe), load_network(recipe, checkpoint), out, progress)

    settings: dict[str, Json] = {
        "name": recipe.name,
        "model": recipe.model.described(),
        "calibration": dataclasses.asdict(recipe.calibration),
        "selection": dataclasses.asdict(recipe.selection),
        "forced": [str(mode) for mode in recipe.forced_modes()],
        "train": {"seed": recipe.train.seed, "temperature": recipe.train.temperature},
    }
    contents = {"data": hash_of_all(recipe.source)}
    return Stage("calibrate", build / "calibrate", action, [checkpoint], settings, recipe.modules, (), contents)


def run(recipe: Recipe, build: Path, progress: Progress) -> StageResult:
    """Runs the stage."""
    return SharedStage.of(stage(recipe, build, progress)).run()


@together
def main(model: Annotated[str, model_option] = "mnist5k-r14") -> None:
    """Calibrate a trained model and choose the modes to publish."""
    from dimmer.pipeline.artifacts.context import build_folder

    # First, so that a package that is missing is told before a checkpoint that is.
    from dimmer.pipeline.subnets.calibrated import calibrate as calibrate
    from dimmer.pipeline.subnets.tables import print_tables

    recipe = load_recipe(model)
    build = build_folder(recipe)
    with first_bar("calibrate") as progress:
        run(recipe, build, progress)
    if is_first():
        print_tables(Calibration.load(build / "calibrate"))


if __name__ == "__main__":
    main_of(main)
