# SPDX-License-Identifier: Apache-2.0
"""Modes for an NPU: `.tflite` -> Vela -> one blob and a command stream a mode -> C -> a firmware of its core.

python -m pipeline.npu --model mnist5k-r14 --target ethos-u55-128
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from dimmer.pipeline.artifacts.calibration import RESULT as CALIBRATION
from dimmer.pipeline.artifacts.calibration import Calibration, calibration_folder
from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.artifacts.npu import NpuFirmware, npu_folder
from dimmer.pipeline.core.command import main_of, model_option, progress_bar, target_option
from dimmer.pipeline.core.extras import require_packages
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import Json, Stage, StageResult
from dimmer.pipeline.core.targets import target_files, tool_versions
from dimmer.pipeline.data.registry import dataset_hash
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from dimmer.targets import Target, load_target


def stage(recipe: Recipe, build: Path, target: Target, progress: Progress) -> Stage:
    """The stage: build/<model>/convert -> build/<model>/<target>/npu."""

    def action(out: Path) -> None:
        from dimmer.pipeline.image.npu.make import make_npu
        from dimmer.pipeline.image.published import published_order
        from dimmer.pipeline.recipe.sections.duty import duty_of

        order = published_order(build, recipe.name, recipe.source, None)
        calibration = Calibration.load(calibration_folder(build))
        duty = duty_of(recipe.duty, recipe.governor)
        make_npu(order, calibration, recipe.policy, recipe.governor, duty, target, out, progress)

    npu = target.npu
    own = (
        () if npu is None else (*npu.sources, *npu.include, *([Path(npu.config)] if Path(npu.config).is_file() else []))
    )
    settings: dict[str, Json] = {"model": recipe.name, "target": target.name, "policy": asdict(recipe.policy)}
    settings["governor"] = asdict(recipe.governor)
    if recipe.policy.recharge or recipe.governor.wanted:
        settings["duty"] = asdict(recipe.duty)
    settings["energy"] = None if target.energy is None else asdict(target.energy)
    return Stage(
        "npu",
        npu_folder(build, target.name),
        action,
        [build / "convert", build / "calibrate" / CALIBRATION],
        settings,
        modules=recipe.modules,
        files=(*target_files(target), *own),
        contents={"data": dataset_hash(recipe.source), **tool_versions(target), **vela_version(target)},
    )


def vela_version(target: Target) -> dict[str, str]:
    """Vela runs by itself, so that no import tells the stage of it.

    Raises:
        DimmerError: it is not installed.
    """
    from importlib.metadata import version

    require_packages(target.distributions, target.extra)
    return {name: version(name) for name in target.distributions}


def run(recipe: Recipe, build: Path, target: Target, progress: Progress) -> StageResult:
    """Runs the stage."""
    return stage(recipe, build, target, progress).run()


def main(
    model: Annotated[str, model_option] = "mnist5k-r14",
    target: Annotated[str, target_option] = "ethos-u55-128",
) -> None:
    """Compile a converted model for an NPU: one blob, a command stream a mode."""
    from dimmer.pipeline.image.npu.make import npu_of_target

    recipe, chosen = load_recipe(model), load_target(target)
    npu_of_target(chosen)
    build = build_folder(recipe)
    with progress_bar("npu") as progress:
        run(recipe, build, chosen, progress)
    firmware = NpuFirmware.load(npu_folder(build, chosen.name))
    for mode in firmware.modes:
        print(f"{mode.name}  ~{mode.cycles:,} cycles by Vela's estimate, {mode.extra_bytes:,} bytes of its own")
        for one in mode.on_core:
            print(f"  on the core: {one.operator} {one.tensor} ({one.why})")
    share = firmware.bytes.blob / firmware.bytes.single_mode_blob
    print(f"{npu_folder(build, chosen.name)}: a blob of {firmware.bytes.blob:,} bytes, {share:.3f} x the top mode's")


if __name__ == "__main__":
    main_of(main)
