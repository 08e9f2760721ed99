# SPDX-License-Identifier: Apache-2.0
"""Verification of a firmware for an NPU: the command streams in it, interpreted, against the TFLite interpreter.

python -m pipeline.verify_npu --model mnist5k-r14 --target ethos-u55-128
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.artifacts.npu import VerifiedNpu, npu_folder, verify_npu_folder
from dimmer.pipeline.core.command import main_of, model_option, progress_bar, target_option
from dimmer.pipeline.core.extras import require_packages
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import Stage, StageResult
from dimmer.pipeline.core.targets import target_files, tool_versions
from dimmer.pipeline.data.registry import dataset_hash
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from dimmer.targets import Target, load_target


def stage(recipe: Recipe, build: Path, target: Target, progress: Progress) -> Stage:
    """The stage: build/<model>/<target>/npu -> build/<model>/<target>/verify_npu."""

    def action(out: Path) -> None:
        from dimmer.pipeline.verification.npu.verify import verify_npu

        verify_npu(recipe.source, recipe.verify.images, build, target, out, progress)

    return Stage(
        "verify_npu",
        verify_npu_folder(build, target.name),
        action,
        [build / "convert", npu_folder(build, target.name)],
        {"model": recipe.name, "target": target.name, "verify": asdict(recipe.verify)},
        modules=recipe.modules,
        # What the core runs of a mode is run on this machine and on the target.
        files=tuple(dict.fromkeys((*target_files(target), *target_files(load_target("host"))))),
        contents={"data": dataset_hash(recipe.source), **tool_versions(target)},
    )


def run(recipe: Recipe, build: Path, target: Target, progress: Progress) -> StageResult:
    """Runs the stage."""
    require_packages(target.distributions, target.extra)
    return stage(recipe, build, target, progress).run()


def main(
    model: Annotated[str, model_option] = "mnist5k-r14",
    target: Annotated[str, target_option] = "ethos-u55-128",
) -> None:
    """Interpret the command streams of an NPU's firmware and compare them with the TFLite interpreter."""
    from dimmer.pipeline.image.npu.make import npu_of_target

    recipe, chosen = load_recipe(model), load_target(target)
    npu_of_target(chosen)
    build = build_folder(recipe)
    with progress_bar("verify_npu") as progress:
        run(recipe, build, chosen, progress)
    found = VerifiedNpu.load(verify_npu_folder(build, chosen.name))
    for mode in found.modes:
        said = "not verified" if mode.outcome is None else f"{mode.outcome.mismatches} of {mode.outcome.samples} differ"
        print(f"{mode.name}  {said}")
    print(found.proves)


if __name__ == "__main__":
    main_of(main)
