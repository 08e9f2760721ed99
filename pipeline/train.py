# SPDX-License-Identifier: Apache-2.0
"""Training: ``python -m pipeline.train --model NAME``.

``--alone super`` or ``--alone base`` trains the plain network of the same depth with the same recipe, to compare the
adaptive one with. The whole state is saved after each epoch, and every random choice depends on seed and epoch alone:
a run that was killed goes on where it stopped and ends, with the same number of threads, in the same bits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.checkpoint import CHECKPOINT, training_folder
from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.artifacts.training_record import load_checkpoint
from dimmer.pipeline.core.command import main_of, model_option
from dimmer.pipeline.core.made import refuse_to_replace
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import Stage, StageResult
from dimmer.pipeline.core.together import SharedStage, first_bar, together
from dimmer.pipeline.data.registry import hash_of_all
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from dimmer.processes import is_first


def stage(
    recipe: Recipe, build: Path, progress: Progress, alone: str | None = None, start: Path | None = None
) -> Stage:
    """The stage ``train``, or ``train-alone-super`` and ``train-alone-base``; resumes when interrupted.

    Args:
        progress: called with what is being done and the share done, 0..1.
        alone: "super" or "base" for the plain network of that depth.
        start: as for ``train``.
    """
    data = hash_of_all(recipe.source)

    def action(out: Path) -> None:
        from dimmer.pipeline.training.loop import train
        from dimmer.pipeline.training.settings import TrainingSettings

        train(TrainingSettings.of(recipe, alone), out, start=start, data=data, progress=progress)

    folder = training_folder(build, alone)
    return Stage(
        folder.name,
        folder,
        action,
        inputs=[] if start is None else [start],
        settings={"model": recipe.name, "training": recipe.training_hash()},
        modules=recipe.modules,
        contents={"data": data},
        keep_partial=True,
    )


def run(
    recipe: Recipe, build: Path, progress: Progress, alone: str | None = None, start: Path | None = None
) -> StageResult:
    """Runs the stage.

    Raises:
        DimmerError: as ``train``.
    """
    return SharedStage.of(stage(recipe, build, progress, alone, start)).run()


@together
def main(
    model: Annotated[str, model_option] = "mnist5k-r14",
    alone: Annotated[
        str | None, typer.Option(help="super or base: train the plain network of this depth instead.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Instead of the recipe's.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of the recipe's.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; equal bits need equal numbers.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write to, instead of build/<model>/train.")] = None,
    start: Annotated[Path | None, typer.Option(help="Checkpoint of a float training: only qat remains.")] = None,
    ship: Annotated[bool, typer.Option(help="Then put checkpoint and results into the model's folder.")] = False,
) -> None:
    """Train a model; an interrupted training goes on where it stopped."""
    if alone not in (None, "super", "base"):
        raise DimmerError(f"--alone is super or base, not '{alone}'")
    if ship and epochs is not None:
        raise DimmerError("--ship is for what the recipe says: write train.epochs into the recipe")
    # Here, since a build whose training stands loads no torch.
    import torch

    from dimmer.pipeline.training.loop import train
    from dimmer.pipeline.training.settings import TrainingSettings, override

    if threads:
        torch.set_num_threads(threads)
    recipe = override(load_recipe(model), seed, epochs)
    with first_bar("train") as progress:
        if out:
            data = hash_of_all(recipe.source)
            train(TrainingSettings.of(recipe, alone), out, start=start, data=data, progress=progress)
        else:
            out, build = training_folder(build_folder(recipe), alone), build_folder(recipe)
            if seed is not None or epochs is not None:
                refuse_to_replace(stage(recipe, build, progress, alone, start), "--seed or --epochs")
            run(recipe, build, progress, alone, start)
    if not is_first():
        return
    for name, found in load_checkpoint(out / CHECKPOINT)[1].accuracy.items():
        print(f"{name}-net: {found.val:.2f} % of the validation, {found.test:.2f} % of the test images")
    print(out / CHECKPOINT)
    if ship:
        from dimmer.pipeline.training.ship import ship as ship_files

        print(ship_files(TrainingSettings.of(recipe, alone), out, build_folder(recipe), start))


if __name__ == "__main__":
    main_of(main)
