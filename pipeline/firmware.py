"""Firmware: the modes' `.tflite` files -> C -> something to flash, with every figure that the report tells of it.

python -m pipeline.firmware --model mnist5k-r14 --target mps2-an386
python -m pipeline.firmware --tflite network.tflite --target mps2-an386

The folder that it leaves holds firmware.elf (.hex, .bin), the generated C, and `firmware.json`:

    model, target                        names
    flash     weights, tables, code, total, single_mode_total, runtime_code         bytes
    ram       arena, scratch, stack, total, single_mode_arena, lower_bound, arena_without_scratch      bytes
    switch    instructions, bytes_of_flash_per_extra_mode
    gates     instructions of all gates in one inference, share_of_top_mode; null without gates
    modes     [{name, macs, instructions, verify}]; verify is {samples, mismatches, backend} or null
    policy    [{mode, min_charge_permille, min_millivolts, hysteresis_permille, dwell_s}]
    buffers   [{mode, name, offset, size, first_step, last_step}]
    layers    [{layer, bytes, modes}]
    steps     [{mode, layer, kernel, macs, instructions}], in the order in which they run
    choices   [{layer, chosen, allowed, others}]: kernels of layers that have a choice, each {kernel, scratch,
              instructions}, the last as the cost model expects them; others are faster or need less scratch
    left_out  [{mode, instructions, reason}]: published modes that are not worth running on this target
    notes     place of a null -> why
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from dimmer.calibration.selection import dominated
from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.pipeline.artifacts.calibration import RESULT as CALIBRATION
from dimmer.pipeline.artifacts.calibration import Calibration
from dimmer.pipeline.artifacts.checkpoint import find_gates
from dimmer.pipeline.artifacts.context import build_folder, builds
from dimmer.pipeline.artifacts.firmware import Firmware, LeftOut, firmware_folder
from dimmer.pipeline.artifacts.gates import recipe_gates
from dimmer.pipeline.core.command import main_of, model_option, progress_bar
from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import ROOT, Json, StageResult, run_stage
from dimmer.pipeline.core.targets import load_firmware_target, scratch_option, with_scratch_limit
from dimmer.pipeline.image.figures import Judged, print_figures
from dimmer.pipeline.image.make import judge, make
from dimmer.pipeline.image.order import SAMPLES, Order, foreign_order
from dimmer.pipeline.image.policy import recipe_policy
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from dimmer.targets import Target

CODE = (
    "pipeline/firmware.py",
    "pipeline/image/figures.py",
    "pipeline/image/elf_shares.py",
    "pipeline/oracle/sample_inputs.py",
    "pipeline/networks/gates/integer.py",
    "calibration/selection.py",
    "pipeline/oracle/interpreter.py",
    "firmware_gen",
    "targets",
    "requirements.txt",
)


def run(recipe: Recipe, build: Path, target: Target, progress: Progress) -> StageResult:
    """The stage: build/<model>/convert -> build/<model>/<target>/firmware."""
    settings: dict[str, Json] = {
        "dataset": recipe.model.dataset,
        "policy": asdict(recipe.policy),
        "target": target.name,
        "scratch_limit": target.scratch_limit,
    }

    def action(out: Path) -> None:
        from dimmer.pipeline.artifacts.converted import mode_sources
        from dimmer.pipeline.data import load_dataset
        from dimmer.pipeline.data.encoding import to_int8

        modes = tuple(mode_sources(build / "convert"))
        image = to_int8(load_dataset(recipe.model.dataset).test.images[:1]).tobytes()
        calibration = Calibration.load(build / "calibrate")
        order = Order(recipe.name, modes, PolicyConfig(), image, gates=recipe_gates(recipe))
        counted = judge(order, calibration, target, progress)
        left_out = {name: why for name, why in counted.worse.items() if not calibration.mode(name).kept}
        kept = tuple(mode for mode in modes if mode.name not in left_out)
        instructions = counted.instructions
        accuracy = {mode.name: calibration.mode(mode.name).accuracy for mode in kept}
        idle = dominated({mode.name: instructions[mode.name] for mode in kept}, accuracy) if instructions else {}
        useful = [number for number, mode in enumerate(kept) if mode.name not in idle]
        # By what they cost here, which may be another order than that of the bit-operations.
        useful.sort(key=lambda number: (-instructions.get(kept[number].name, 0), number))
        order = replace(order, modes=kept, policy=recipe_policy(recipe.policy, useful))
        entries = tuple(LeftOut(name, instructions[name], why) for name, why in left_out.items())
        make(order, target, out, progress, Judged(entries, idle))

    code = [ROOT / name for name in CODE]
    inputs = [
        build / "convert",
        build / "calibrate" / CALIBRATION,
        *([find_gates(recipe)] if recipe.gates.epochs else []),
    ]
    return run_stage("firmware", firmware_folder(build, target.name), inputs, settings, code, action)


def main(
    target: Annotated[str, typer.Option("--target", help="A folder under targets/.")] = "mps2-an386",
    tflite: Annotated[list[Path] | None, typer.Option("--tflite", help="A .tflite file; repeat for modes.")] = None,
    model: Annotated[str, model_option] = "mnist5k-r14",
    out: Annotated[Path | None, typer.Option("--out", help="Where to write with --tflite.")] = None,
    samples: Annotated[int, typer.Option("--samples", min=0, help="Random inputs to verify with --tflite.")] = SAMPLES,
    scratch_limit: Annotated[int | None, scratch_option] = None,
) -> None:
    """Generate, compile and measure a firmware: of a converted model, or of any int8 .tflite files."""
    chosen = with_scratch_limit(load_firmware_target(target), scratch_limit)
    with progress_bar("firmware") as progress:
        if tflite:
            order = foreign_order(tflite, samples)
            folder = out or builds() / order.name / chosen.name / "firmware"
            code = [ROOT / name for name in CODE]
            settings: dict[str, Json] = {
                "target": chosen.name,
                "samples": samples,
                "scratch_limit": chosen.scratch_limit,
            }

            def action(work: Path) -> None:
                make(order, chosen, work, progress)

            run_stage("firmware", folder, tflite, settings, code, action)
        else:
            recipe = load_recipe(model)
            run(recipe, build_folder(recipe), chosen, progress)
            folder = firmware_folder(build_folder(recipe), chosen.name)
    figures = Firmware.load(folder)
    print_figures(figures)
    if figures.mismatches:
        raise DimmerError(
            f"{figures.mismatches} results differ from the TFLite interpreter's; do not flash it, report the file"
        )
    print(folder)


if __name__ == "__main__":
    main_of(main)
