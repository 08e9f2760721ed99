# SPDX-License-Identifier: Apache-2.0
"""Modes as one TVM library: the checked integer graph of each `.tflite` as a Relax function, weights as parameters.

python -m pipeline.tvm_module --model mnist5k-r14 --target host

True integer arithmetic throughout: int8 x int8 sums in int32, rescaled in fixed point as TFLite's reference kernels do,
so a function equals the interpreter bit for bit on every machine. The stage leaves in build/<model>/<target>/tvm_module

    dimmer_modes.so      one function a mode: int8[1,H,W,C] and all weights -> the output
    weights.bin          all weights, equal ones once; weights.json says where each lies
    dimmer_modes_cuda.so the same functions for the GPU, if the target has one; dimmer_modes.cubin has their kernels
    modules.json         tvm, triple, tuned, gpu, input, output, modes [{name, function, onnx}]
    <mode>.onnx          the mode with its scales as QuantizeLinear and DequantizeLinear
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.bundle import module_folder
from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.bundles.stages import module_stage
from dimmer.pipeline.core.command import main_of, model_option, progress_bar, target_option
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import StageResult
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from dimmer.pipeline.tvm.document import LIBRARY, WEIGHTS, load_modules
from dimmer.pipeline.tvm.module import import_tvm, mismatches
from dimmer.pipeline.tvm.targets import tvm_target
from dimmer.targets import Target, load_target


def run(recipe: Recipe, build: Path, target: Target, progress: Progress) -> StageResult:
    """Runs the stage."""
    return module_stage(build, target, progress).run()


def main(
    model: Annotated[str, model_option] = "mnist5k-r14",
    target: Annotated[str, target_option] = "jetson",
    images: Annotated[
        int | None,
        typer.Option("--images", min=1, help="Compare so many test images; the recipe's number unless given."),
    ] = None,
) -> None:
    """Compile the modes of a converted model with TVM; what is for this machine is compared with the interpreter."""
    import_tvm()
    recipe, board = load_recipe(model), load_target(target)
    build, chosen = build_folder(recipe), tvm_target(board)
    folder = module_folder(build, chosen.name)
    with progress_bar("tvm_module") as progress:
        run(recipe, build, board, progress)
        modules = load_modules(folder)
        wrong: dict[str, int] = {}
        if chosen.is_native:
            from dimmer.pipeline.artifacts.converted import mode_sources
            from dimmer.pipeline.data.encoding import to_int8
            from dimmer.pipeline.data.registry import load_dataset

            progress("comparing with the interpreter", 0.8)
            count = recipe.verify.images if images is None else images
            inputs = to_int8(load_dataset(recipe.source).test.images[:count])
            count = len(inputs)
            wrong = mismatches(folder, mode_sources(build / "convert"), inputs.tobytes())
    for mode in modules.modes:
        checked = f"{wrong[mode.name]} mismatches of {count}" if wrong else f"not run here, for {chosen.machine}"
        print(f"{mode.name}  {checked}")
    print(f"{folder}: {LIBRARY}, {WEIGHTS} ({modules.weights_file.stat().st_size:,} bytes for all modes)")
    if any(wrong.values()):
        raise DimmerError(f"{model}: the modes differ from the TFLite interpreter; report it")


if __name__ == "__main__":
    main_of(main)
