# SPDX-License-Identifier: Apache-2.0
"""The stages before a target's verification: what is exact, then what it is worth."""

from __future__ import annotations

from pathlib import Path

from dimmer.pipeline.artifacts.firmware import firmware_folder
from dimmer.pipeline.artifacts.trained import find_checkpoint
from dimmer.pipeline.artifacts.verification import accuracy_folder, comparison_folder
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import Stage
from dimmer.pipeline.core.targets import target_files, tool_versions
from dimmer.pipeline.data.registry import dataset_hash
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.targets import Target, load_target


def firmware_files(build: Path, *names: str) -> list[Path]:
    """What of the firmwares of some targets is run and read."""
    folders = dict.fromkeys(firmware_folder(build, name) for name in names)
    return [folder / file for folder in folders for file in ("firmware.elf", "firmware.json")]


def compare_stage(recipe: Recipe, build: Path, target: Target, progress: Progress) -> Stage:
    """The stage: firmware of the host and of the target -> that neither differs from the interpreter."""

    def action(out: Path) -> None:
        from dimmer.pipeline.verification.modes import compare_firmware

        compare_firmware(recipe.source, recipe.verify.images, build, target, out, progress)

    return Stage(
        "compare",
        comparison_folder(build, target.name),
        action,
        [build / "convert", *firmware_files(build, "host", target.name)],
        {"model": recipe.model.described(), "images": recipe.verify.images, "target": target.name},
        modules=recipe.modules,
        files=tuple(dict.fromkeys((*target_files(target), *target_files(load_target("host"))))),
        contents={"data": dataset_hash(recipe.source), **tool_versions(target)},
    )


def accuracy_stage(recipe: Recipe, build: Path, progress: Progress) -> Stage:
    """The stage: firmware of the host -> the accuracies of its modes. A run that was stopped goes on behind the modes
    that it had measured.
    """

    def action(out: Path) -> None:
        from dimmer.pipeline.verification.accuracies import measure_accuracies
        from dimmer.pipeline.verification.order import order_of

        measure_accuracies(order_of(recipe, build), build, out, progress)

    return Stage(
        "accuracy",
        accuracy_folder(build),
        action,
        [
            build / "calibrate" / "calibration.json",
            build / "calibrate" / "statistics.safetensors",
            build / "convert",
            *firmware_files(build, "host"),
            find_checkpoint(recipe, build),
        ],
        {"model": recipe.model.described()},
        modules=recipe.modules,
        files=target_files(load_target("host")),
        contents={"data": dataset_hash(recipe.source)},
        keep_partial=True,
    )
