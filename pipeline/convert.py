# SPDX-License-Identifier: Apache-2.0
"""Conversion: ONNX -> float .tflite -> int8 .tflite with our own ranges, one file a mode, all with the same weights.

Blocks of 4 and 2 bits get their operators and weights afterwards (`pipeline.conversion.narrow`).

The tensors of the float file are recognised **by value**: the interpreter runs the image whose site values the export
stage saved, and each tensor that equals a site gets its range. Nothing depends on the names or the order that a
converter invents, and a graph that computes something else is found here, with the tensor's name.

    python -m pipeline.convert --model mnist5k-r14
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from dimmer.pipeline.artifacts.calibration import Calibration
from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.conversion.converted import convert
from dimmer.pipeline.core.command import main_of, model_option, progress_bar
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import Stage, StageResult
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe


def stage(build: Path, progress: Progress) -> Stage:
    """The stage: build/<model>/export -> build/<model>/convert."""
    calibrated, exported = build / "calibrate", build / "export"

    def action(out: Path) -> None:
        convert(Calibration.load(calibrated), exported, out, progress)

    return Stage("convert", build / "convert", action, [calibrated / "calibration.json", exported])


def run(recipe: Recipe, build: Path, progress: Progress) -> StageResult:
    """Runs the stage."""
    return stage(build, progress).run()


def main(model: Annotated[str, model_option] = "mnist5k-r14") -> None:
    """Convert every exported mode to an int8 .tflite and check that all share their weights."""
    recipe = load_recipe(model)
    build = build_folder(recipe)
    with progress_bar("convert") as progress:
        run(recipe, build, progress)
    for path in sorted((build / "convert").glob("*.tflite")):
        print(f"{path}  {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main_of(main)
