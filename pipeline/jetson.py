# SPDX-License-Identifier: Apache-2.0
"""The bundle stage of a target whose engine is TVM: modes that TVM compiled -> a bundle that ran here, under emulation.

python -m pipeline.jetson --model mnist5k-r14

The stage's folder holds the bundle, in a folder of the model's name, and `bundle.json`:

    version, architecture, tvm
    bytes     weights, library, runtime, program, total
    modes     [{name, verify: {samples, mismatches, backend}}]
    policy    [{mode, min_charge_permille, min_millivolts, hysteresis_permille, dwell_s}]
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.bundle import Bundle, bundle_folder, bundle_stage_folder
from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.bundles.stages import bundle_stage, module_stage
from dimmer.pipeline.core.command import main_of, model_option, progress_bar, target_option
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import StageResult
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from dimmer.targets import Target, load_target


def run(recipe: Recipe, build: Path, target: Target, progress: Progress) -> StageResult:
    """Runs the stage."""
    return bundle_stage(recipe, build, target, progress).run()


def main(
    model: Annotated[str, model_option] = "mnist5k-r14",
    target: Annotated[str, target_option] = "jetson",
) -> None:
    """Make the bundle of a converted model and run its self-test here."""
    recipe, chosen = load_recipe(model), load_target(target)
    if chosen.engine != "tvm":
        raise DimmerError(f"{target} takes a firmware, no bundle: type 'python -m pipeline.firmware --target {target}'")
    build = build_folder(recipe)
    with progress_bar("tvm_module") as progress:
        module_stage(build, chosen, progress).run()
    with progress_bar("bundle") as progress:
        run(recipe, build, chosen, progress)
    for mode in Bundle.load(bundle_stage_folder(build, chosen.name)).modes:
        print(f"{mode.name}  {mode.verify.mismatches} mismatches of {mode.verify.samples}")
    print(bundle_folder(build, chosen.name))


if __name__ == "__main__":
    main_of(main)
