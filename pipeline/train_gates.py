# SPDX-License-Identifier: Apache-2.0
"""Training of the gates: ``python -m pipeline.train_gates --model NAME``.

Three steps, after Shen et al., Fractional Skipping (AAAI 2020): the gates warm up with the backbone frozen, here
towards the best static mode of each budget and not towards full execution; they learn towards a cost, with the backbone
where the recipe gives it a learning rate; they are tuned with the backbone frozen again. One set of gates serves all
budgets, or `only_budget`.

``gates.safetensors`` lies beside the checkpoint, which stays as it is. With a trained backbone, its new
``checkpoint.safetensors`` lies there too. The state is saved after each epoch: a run that was killed goes on where it
stopped and ends in the same bits.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.checkpoint import GATES, gates_folder
from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.artifacts.gate_record import load_gate_record
from dimmer.pipeline.artifacts.trained import find_checkpoint
from dimmer.pipeline.core.command import main_of, model_option, progress_bar
from dimmer.pipeline.core.made import refuse_to_replace
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import Stage, StageResult
from dimmer.pipeline.data.registry import dataset_hash
from dimmer.pipeline.recipe.changes import read_changes
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe

_CHANGE = "section.key=value, not the recipe's: gates.only_budget=0.25; repeat; with --out."


def stage(recipe: Recipe, build: Path, progress: Progress, checkpoint: Path | None = None) -> Stage:
    """The stage ``gates``; resumes when interrupted.

    Args:
        checkpoint: of the backbone, instead of the model's.

    Raises:
        DimmerError: there is no backbone.
    """
    from dimmer.pipeline.training.gate_settings import GateSettings

    backbone = checkpoint or find_checkpoint(recipe, build)
    data = dataset_hash(recipe.source)
    settings = GateSettings.of(recipe)

    def action(out: Path) -> None:
        from dimmer.pipeline.training.gate_loop import train_gates

        train_gates(settings, out, checkpoint=backbone, data=data, progress=progress)

    return Stage(
        "gates",
        gates_folder(build),
        action,
        [backbone],
        {"model": recipe.name, "gates": settings.hash(), "budgets": recipe.gates.served},
        recipe.modules,
        contents={"data": data},
        keep_partial=True,
    )


def run(recipe: Recipe, build: Path, progress: Progress, checkpoint: Path | None = None) -> StageResult:
    """Runs the stage.

    Raises:
        DimmerError: as ``train_gates``.
    """
    return stage(recipe, build, progress, checkpoint).run()


def main(
    model: Annotated[str, model_option] = "cifar10-r14",
    seed: Annotated[int | None, typer.Option(help="Instead of the recipe's.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; equal bits need equal numbers.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write to, instead of build/<model>/gates.")] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="Backbone, instead of the model's.")] = None,
    change: Annotated[list[str] | None, typer.Option(help=_CHANGE)] = None,
    ship: Annotated[bool, typer.Option(help="Then put gates and results into the model's folder.")] = False,
) -> None:
    """Train a model's gates; an interrupted training goes on where it stopped."""
    import torch

    from dimmer.pipeline.training.gate_loop import train_gates
    from dimmer.pipeline.training.gate_settings import GateSettings

    if threads:
        torch.set_num_threads(threads)
    if change and (ship or out is None):
        raise DimmerError("--change is for trainings beside the model's own: name a folder with --out, without --ship")
    recipe = load_recipe(model, read_changes(change or (), "gates"))
    if seed is not None:
        recipe = replace(recipe, train=replace(recipe.train, seed=seed))
    with progress_bar("gates") as progress:
        if out:
            data = dataset_hash(recipe.source)
            backbone = checkpoint or find_checkpoint(recipe)
            train_gates(GateSettings.of(recipe), out, checkpoint=backbone, data=data, progress=progress)
        else:
            out, build = gates_folder(build_folder(recipe)), build_folder(recipe)
            if seed is not None:
                refuse_to_replace(stage(recipe, build, progress, checkpoint), "--seed")
            run(recipe, build, progress, checkpoint)
    for line in load_gate_record(out / GATES).summary():
        print(line)
    print(out / GATES)
    if ship:
        from dimmer.pipeline.training.ship import ship_gates

        print(ship_gates(GateSettings.of(recipe), out))


if __name__ == "__main__":
    main_of(main)
