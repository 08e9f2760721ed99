# SPDX-License-Identifier: Apache-2.0
"""Verification: the C runtime, on the host and on the target, against the TFLite interpreter, bit for bit.

First every mode on test images, and mid-inference switches against the interpreter's result for the block-wise mixed
graph: where any differs there is no verification, and no report. Then every mode's accuracy on the whole test set,
computed by the C engine on the host, once for all targets.

    python -m pipeline.verify --model mnist5k-r14 --target mps2-an386
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.artifacts.trained import find_checkpoint, find_gates
from dimmer.pipeline.artifacts.verification import Verified, accuracy_folder, comparison_folder, verify_folder
from dimmer.pipeline.core.command import main_of, model_option, progress_bar, target_option
from dimmer.pipeline.core.progress import Progress, part
from dimmer.pipeline.core.stage import Json, Stage, StageResult
from dimmer.pipeline.core.targets import load_firmware_target, target_files, tool_versions
from dimmer.pipeline.data.registry import dataset_hash
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from dimmer.pipeline.verification.stages import accuracy_stage, compare_stage, firmware_files
from dimmer.pipeline.verification.tables import print_verified
from dimmer.targets import Target, load_target


def stage(recipe: Recipe, build: Path, target: Target, progress: Progress) -> Stage:
    """The stage: comparison and accuracies -> the target's verification, with that of its gates."""

    def action(out: Path) -> None:
        from dimmer.pipeline.verification.modes import verify
        from dimmer.pipeline.verification.order import order_of

        verify(order_of(recipe, build), build, target, out, progress)

    inputs = [
        build / "convert",
        comparison_folder(build, target.name),
        accuracy_folder(build),
        *firmware_files(build, "host", target.name),
        find_checkpoint(recipe, build),
        *([find_gates(recipe, build)] if recipe.gates.epochs else []),
    ]
    settings: dict[str, Json] = {
        "model": recipe.model.described(),
        "gates": recipe.gates.deployed(),
        "budgets": {"measured": recipe.gates.served, "reference_bits": recipe.gates.reference_bits},
        "verify": asdict(recipe.verify),
        "target": target.name,
    }
    return Stage(
        "verify",
        verify_folder(build, target.name),
        action,
        inputs,
        settings,
        modules=recipe.modules,
        files=tuple(dict.fromkeys((*target_files(target), *target_files(load_target("host"))))),
        contents={"data": dataset_hash(recipe.source), **tool_versions(target)},
    )


def run(recipe: Recipe, build: Path, target: Target, progress: Progress) -> StageResult:
    """Runs all three stages, as one."""
    done = [
        compare_stage(recipe, build, target, part(progress, 0.0, 0.5)).run(),
        accuracy_stage(recipe, build, part(progress, 0.5, 0.9)).run(),
        stage(recipe, build, target, part(progress, 0.9, 1.0)).run(),
    ]
    return StageResult("verify", sum(one.seconds for one in done), all(one.cached for one in done))


def main(
    model: Annotated[str, model_option] = "mnist5k-r14",
    target: Annotated[str, target_option] = "mps2-an386",
) -> None:
    """Compare the firmware of the host and of a target with the TFLite interpreter, every mode, bit for bit."""
    recipe, chosen = load_recipe(model), load_firmware_target(target)
    build = build_folder(recipe)
    with progress_bar("verify") as progress:
        run(recipe, build, chosen, progress)
    print_verified(Verified.load(verify_folder(build, chosen.name)))


if __name__ == "__main__":
    main_of(main)
