# SPDX-License-Identifier: Apache-2.0
"""The two stages of a target whose engine is TVM: its modules, and the bundle that holds them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from dimmer.pipeline.artifacts.bundle import bundle_stage_folder, module_folder, tuning_folder
from dimmer.pipeline.artifacts.calibration import RESULT as CALIBRATION
from dimmer.pipeline.artifacts.calibration import Calibration, calibration_folder
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import Json, Stage
from dimmer.pipeline.core.targets import target_files, tool_versions
from dimmer.pipeline.data.registry import dataset_hash, dataset_modules
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.tvm.targets import tvm_target
from dimmer.targets import Target


def module_stage(build: Path, target: Target, progress: Progress) -> Stage:
    """The stage: build/<model>/convert -> build/<model>/<target>/tvm_module."""
    chosen = tvm_target(target)
    tuning = tuning_folder(build, target.name)
    tuned = tuning if tuning.is_dir() else None

    def action(out: Path) -> None:
        from dimmer.pipeline.artifacts.converted import mode_sources
        from dimmer.pipeline.core.debian import require_tools
        from dimmer.pipeline.tvm.module import build_modules

        if not chosen.is_native:
            require_tools(target.tools)
        progress("compiling the modes with TVM", 0.1)
        build_modules({mode.name: mode.path for mode in mode_sources(build / "convert")}, chosen, out, tuned)

    return Stage(
        "tvm_module",
        module_folder(build, target.name),
        action,
        [build / "convert", *([] if tuned is None else [tuned])],
        {"processor": str(chosen.processor()), "tuned": tuned is not None},
        contents=tool_versions(target),
    )


def bundle_stage(recipe: Recipe, build: Path, target: Target, progress: Progress) -> Stage:
    """The stage: build/<model>/<target>/tvm_module -> build/<model>/<target>/bundle."""

    def action(out: Path) -> None:
        from dimmer.pipeline.bundles.make import make_published

        data, images = recipe.source, recipe.verify.images
        calibration = Calibration.load(calibration_folder(build))
        make_published(data, images, recipe.policy, calibration, build, target, out, progress)

    settings: dict[str, Json] = {
        "model": recipe.name,
        "dataset": recipe.model.dataset,
        "policy": asdict(recipe.policy),
        "verify": asdict(recipe.verify),
        "target": target.name,
    }
    return Stage(
        "bundle",
        bundle_stage_folder(build, target.name),
        action,
        [build / "convert", build / "calibrate" / CALIBRATION, module_folder(build, target.name)],
        settings,
        modules=dataset_modules(recipe.source),
        files=target_files(target),
        contents={"data": dataset_hash(recipe.source), **tool_versions(target)},
    )
