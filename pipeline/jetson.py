"""The bundle stage of a target whose engine is TVM: modes that TVM compiled -> a bundle that ran here, under emulation.

python -m pipeline.jetson --model mnist5k-r14

The stage's folder holds the bundle, in a folder of the model's name, and `bundle.json`:

    version, architecture, tvm
    bytes     weights, library, runtime, program, total
    modes     [{name, verify: {samples, mismatches, backend}}]
    policy    [{mode, min_charge_permille, min_millivolts, hysteresis_permille, dwell_s}]
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dimmer.pipeline import tvm_module
from dimmer.pipeline.artifacts.bundle import Bundle, bundle_folder, bundle_stage_folder, module_folder
from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.bundles.make import bundle_policy, make
from dimmer.pipeline.core.command import main_of, model_option, progress_bar
from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import ROOT, Json, StageResult, run_stage
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from dimmer.pipeline.tvm.module import load_modules
from dimmer.targets import Target, load_target

CODE = (
    "pipeline/jetson.py",
    "pipeline/bundles/bundle.py",
    "pipeline/bundles/table.py",
    "pipeline/tvm/runtime.py",
    "pipeline/oracle/interpreter.py",
    "firmware_gen",
    "targets",
    "requirements.txt",
)


def run(recipe: Recipe, build: Path, target: Target, progress: Progress) -> StageResult:
    """The stage: build/<model>/<target>/tvm_module -> build/<model>/<target>/bundle."""
    settings: dict[str, Json] = {
        "dataset": recipe.model.dataset,
        "policy": asdict(recipe.policy),
        "target": target.name,
        "images": recipe.verify.images,
    }

    def action(out: Path) -> None:
        from dimmer.pipeline.artifacts.converted import mode_sources
        from dimmer.pipeline.data import load_dataset
        from dimmer.pipeline.data.encoding import to_int8

        progress("running the modes", 0.1)
        modes = mode_sources(build / "convert")
        images = to_int8(load_dataset(recipe.model.dataset).test.images[: recipe.verify.images])
        policy = bundle_policy(recipe, len(modes))
        modules = load_modules(module_folder(build, target.name))
        make(build.name, modules, modes, policy, images.tobytes(), len(images), target, out).save(out)

    code = [ROOT / name for name in CODE]
    inputs = [build / "convert", module_folder(build, target.name)]
    return run_stage("bundle", bundle_stage_folder(build, target.name), inputs, settings, code, action)


def main(
    model: Annotated[str, model_option] = "mnist5k-r14",
    target: Annotated[str, typer.Option("--target", help="A folder under targets/ whose engine is tvm.")] = "jetson",
) -> None:
    """Make the bundle of a converted model and run its self-test here."""
    recipe, chosen = load_recipe(model), load_target(target)
    if chosen.engine != "tvm":
        raise DimmerError(f"{target} takes a firmware, no bundle: type 'python -m pipeline.firmware --target {target}'")
    build = build_folder(recipe)
    with progress_bar("tvm_module") as progress:
        tvm_module.run(recipe, build, chosen, progress)
    with progress_bar("bundle") as progress:
        run(recipe, build, chosen, progress)
    for mode in Bundle.load(bundle_stage_folder(build, target)).modes:
        print(f"{mode.name}  {mode.verify.mismatches} mismatches of {mode.verify.samples}")
    print(bundle_folder(build, target))


if __name__ == "__main__":
    main_of(main)
