# SPDX-License-Identifier: Apache-2.0
"""Firmware: the modes' `.tflite` files -> C -> something to flash, with every figure that the report tells of it.

python -m pipeline.firmware --model mnist5k-r14 --target mps2-an386
python -m pipeline.firmware --tflite network.tflite --target mps2-an386
python -m pipeline.firmware --tflite network.keras --calibration samples.npz --target mps2-an386
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from dimmer.errors import DimmerError
from dimmer.firmware_gen.graph.micro import Reference
from dimmer.pipeline.artifacts.calibration import RESULT as CALIBRATION
from dimmer.pipeline.artifacts.calibration import Calibration, calibration_folder
from dimmer.pipeline.artifacts.context import build_folder, builds, given_folder
from dimmer.pipeline.artifacts.firmware import Firmware, firmware_folder
from dimmer.pipeline.artifacts.trained import find_gates
from dimmer.pipeline.core import command, targets
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import Json, Stage, StageResult
from dimmer.pipeline.data.registry import dataset_hash
from dimmer.pipeline.image.figures import print_figures
from dimmer.pipeline.image.order import SAMPLES, foreign_order
from dimmer.pipeline.oracle.micro import require_reference
from dimmer.pipeline.projects.built import refuse_recipe, refuse_without_files
from dimmer.pipeline.projects.quantised import calibration_of, ready
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from dimmer.pipeline.recipe.sections.duty import duty_of
from dimmer.pipeline.reporting.foreign import foreign_stage
from dimmer.targets import Target


def stage(recipe: Recipe, build: Path, target: Target, progress: Progress) -> Stage:
    """The stage: build/<model>/convert -> build/<model>/<target>/firmware."""

    def action(out: Path) -> None:
        from dimmer.pipeline.artifacts.gates import recipe_gates
        from dimmer.pipeline.image.published import make_published, published_order

        order = published_order(build, recipe.name, recipe.source, recipe_gates(recipe, build))
        calibration = Calibration.load(calibration_folder(build))
        duty = duty_of(recipe.duty, recipe.governor)
        make_published(order, calibration, recipe.policy, target, out, progress, recipe.governor, duty)

    settings: dict[str, Json] = {"model": recipe.name, "target": target.name, "scratch_limit": target.scratch_limit}
    settings |= {"network": recipe.model.described(), "policy": asdict(recipe.policy), "gates": recipe.gates.deployed()}
    settings["governor"] = asdict(recipe.governor)
    if recipe.policy.recharge or recipe.governor.wanted:
        settings["duty"] = asdict(recipe.duty)
    # Of the board's file and of what was measured, too, which are none of the target's own files.
    settings["energy"] = None if target.energy is None else asdict(target.energy)
    inputs = [build / "convert", build / "calibrate" / CALIBRATION]
    if recipe.gates.epochs:
        inputs.append(find_gates(recipe, build))
    return Stage(
        "firmware",
        firmware_folder(build, target.name),
        action,
        inputs,
        settings,
        modules=recipe.modules,
        files=targets.target_files(target),
        contents={"data": dataset_hash(recipe.source), **targets.tool_versions(target)},
    )


def run(recipe: Recipe, build: Path, target: Target, progress: Progress) -> StageResult:
    """Runs the stage."""
    return stage(recipe, build, target, progress).run()


def main(
    target: Annotated[str, command.target_option] = "mps2-an386",
    tflite: Annotated[list[Path] | None, typer.Option("--tflite", help="A network; repeat for modes.")] = None,
    model: Annotated[str, command.model_option] = "mnist5k-r14",
    out: Annotated[Path | None, typer.Option("--out", help="Where to write with --tflite.")] = None,
    samples: Annotated[
        int | None, typer.Option("--samples", min=0, help="Inputs to verify with --tflite; 0: none.")
    ] = None,
    scratch_limit: Annotated[int | None, targets.scratch_option] = None,
    signature: Annotated[str | None, command.signature_option] = None,
    calibration: Annotated[Path | None, typer.Option("--calibration", help="Samples to quantise it on.")] = None,
    pixels: Annotated[str | None, typer.Option("--pixels", help="What 0 and 255 are to it: 0,1.")] = None,
    reference: Annotated[Reference | None, command.reference_option] = None,
    name: Annotated[str | None, command.name_option] = None,
) -> None:
    """Make and measure a firmware: of a converted model, of int8 .tflite files, or of a float network."""
    refuse_without_files(tflite, name=name, signature=signature, calibration=calibration, pixels=pixels)
    refuse_without_files(tflite, reference=reference, out=out, samples=samples)
    require_reference(reference)
    chosen = targets.with_scratch_limit(targets.equipped_firmware_target(target), scratch_limit)
    with command.progress_bar("firmware") as progress:
        if tflite:
            taken = ready(tflite, signature, calibration_of(calibration, pixels), given_folder(), progress, name)
            print("".join(f"{line}\n" for line in taken.lines), end="")
            wanted = (chosen.runner.samples or SAMPLES) if samples is None else samples
            alone = foreign_order(taken.files, wanted, name, reference)
            few = samples is not None or chosen.runner.samples is not None
            order = replace(alone, given=taken.first(wanted if few else None), quantised=taken.quantised)
            folder = out or builds() / order.name / chosen.name / "firmware"
            refuse_recipe(order.name, folder)
            foreign_stage(order, taken.files, chosen, folder, progress).run()
        else:
            recipe = load_recipe(model)
            with command.or_else("name files of your own with --tflite"):
                run(recipe, build_folder(recipe), chosen, progress)
            folder = firmware_folder(build_folder(recipe), chosen.name)
    print_figures(figures := Firmware.load(folder))
    if figures.mismatches:
        raise DimmerError(f"{figures.mismatches} results differ from the interpreter's; do not flash it, report it")
    print(folder)


if __name__ == "__main__":
    command.main_of(main)
