# SPDX-License-Identifier: Apache-2.0
"""Export: every published mode as ONNX, checked against torch with onnxruntime.

Beside each `<mode>.onnx` stands `<mode>.sites.npz`: one image and the value of every site for it, by which the
conversion recognises the tensors of the converted file, and for modes with blocks of 4 or 2 bits `<mode>.narrow.npz`:
the codes, steps and biases of their convolutions, which the conversion puts into the finished file.

    python -m pipeline.export --model mnist5k-r14
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from dimmer.pipeline.artifacts.calibration import Calibration, Statistics
from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.artifacts.trained import find_checkpoint
from dimmer.pipeline.conversion.onnx import export_mode
from dimmer.pipeline.core.command import main_of, model_option, progress_bar
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import Json, Stage, StageResult
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe


def stage(recipe: Recipe, build: Path, progress: Progress) -> Stage:
    """The stage: build/<model>/calibrate -> build/<model>/export."""
    checkpoint = find_checkpoint(recipe, build)
    source = build / "calibrate"

    def action(out: Path) -> None:
        from dimmer.pipeline.artifacts.trained import load_network

        network, calibration = load_network(recipe, checkpoint), Calibration.load(source)
        statistics = Statistics.load(source)
        for done, name in enumerate(calibration.published):
            progress(f"{name}.onnx", done / len(calibration.published))
            export_mode(network, name, statistics.of(name), out)

    settings: dict[str, Json] = {"model": recipe.model.described()}
    inputs = [checkpoint, source / "calibration.json", source / "statistics.safetensors"]
    return Stage("export", build / "export", action, inputs, settings, recipe.model.network_modules)


def run(recipe: Recipe, build: Path, progress: Progress) -> StageResult:
    """Runs the stage."""
    return stage(recipe, build, progress).run()


def main(model: Annotated[str, model_option] = "mnist5k-r14") -> None:
    """Write every published mode as ONNX and check it against torch."""
    recipe = load_recipe(model)
    build = build_folder(recipe)
    with progress_bar("export") as progress:
        run(recipe, build, progress)
    for path in sorted((build / "export").glob("*.onnx")):
        print(f"{path}  {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main_of(main)
