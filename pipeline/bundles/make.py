"""A bundle made of TVM's modules, and its self-test."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dimmer.firmware_gen.emit.policy import PolicyConfig, even_policy
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.artifacts.bundle import RESULT, module_folder
from dimmer.pipeline.artifacts.converted import mode_sources
from dimmer.pipeline.bundles.bundle import GPU_CODE, GPU_LIBRARY, LIBRARY, MACHINES, WEIGHTS, machine_of, make_bundle
from dimmer.pipeline.core.debian import require_tools
from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.data.encoding import to_int8
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.tvm.module import load_modules
from dimmer.pipeline.tvm.parts import Modules, SelfTest
from dimmer.pipeline.tvm.runtime import cache_folder, tvm_runtime
from dimmer.targets import Target


def make(
    name: str,
    modules: Modules,
    modes: Sequence[ModeSource],
    policy: PolicyConfig,
    inputs: bytes,
    samples: int,
    target: Target,
    out: Path,
) -> dict[str, Any]:
    """Makes ``out/<name>`` a bundle, runs its self-test, and gives the content of bundle.json.

    Args:
        modules: what TVM compiled of the modes.
        inputs: int8[samples,H,W,C] for the self-test.

    Raises:
        DimmerError: TVM, the interpreter or the runtime's wheel is missing, or a result differs in any bit.
        TargetError: the cross compiler or the emulator is missing.
    """
    from dimmer.pipeline.oracle.interpreter import reference_outputs

    require_tools(target.tools)
    bundle = out / name
    runtime = tvm_runtime(MACHINES.get(machine_of(modules.library), "?"), cache_folder())
    expected = {mode.name: reference_outputs(mode.path, inputs) for mode in modes}
    test = SelfTest(samples, inputs, expected)
    manifest = make_bundle(name, modules, policy, test, runtime, target, bundle)
    checked = self_test(bundle, target)
    sizes = {path.relative_to(bundle).as_posix(): path.stat().st_size for path in bundle.rglob("*") if path.is_file()}
    return {
        "version": manifest["version"],
        "architecture": manifest["architecture"],
        "tvm": manifest["tvm"],
        "bytes": {
            "weights": sizes[WEIGHTS],
            "library": sizes[LIBRARY],
            "gpu_library": sizes.get(GPU_LIBRARY, 0) + sizes.get(GPU_CODE, 0),
            "runtime": sum(sizes[f"lib/{library.name}"] for library in runtime.libraries),
            "program": sizes["bin/dimmer-run"],
            "total": sum(sizes.values()),
        },
        "modes": [{"name": mode.name, "verify": checked[mode.name]} for mode in modes],
        "policy": [
            {
                "mode": modes[tier.mode].name,
                "min_charge_permille": tier.min_charge_permille,
                "min_millivolts": tier.min_millivolts,
                "hysteresis_permille": policy.hysteresis_permille,
                "dwell_s": policy.dwell_s,
            }
            for tier in policy.tiers
        ],
    }


def self_test(bundle: Path, target: Target) -> dict[str, dict[str, Any]]:
    """Runs a bundle's program on the target.

    Returns:
        mode -> samples, mismatches, backend.

    Raises:
        DimmerError: a result differs from the reference interpreter's in any bit.
    """
    done = target.run(bundle / "bin" / "dimmer-run", ["--self-test"], bundle)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    wrong = [f"{line['mode']} in {line['mismatches']} of {line['samples']}" for line in lines if not line["ok"]]
    if wrong or not lines:
        raise DimmerError(
            f"{target.name}: the modes differ from the TFLite interpreter ({', '.join(wrong) or 'no result'}); "
            "do not install it, report it"
        )
    return {
        line["mode"]: {"samples": line["samples"], "mismatches": line["mismatches"], "backend": target.description}
        for line in lines
    }


def bundle_policy(recipe: Recipe, modes: int) -> PolicyConfig:
    """The recipe's tiers; even ones where the recipe's are budgets of gates, which TVM's modes have not."""
    from dimmer.pipeline.image.policy import recipe_policy

    return even_policy(modes) if recipe.policy.budgets else recipe_policy(recipe.policy, range(modes))


def make_published(recipe: Recipe, build: Path, target: Target, out: Path, progress: Progress) -> None:
    """Writes the bundle of a model's published modes and `bundle.json` into `out`.

    Args:
        build: ``build/<model>``, converted and compiled by TVM.

    Raises:
        DimmerError, TargetError: as `make`.
    """
    progress("running the modes", 0.1)
    modes = mode_sources(build / "convert")
    images = to_int8(load_dataset(recipe.model.dataset).test.images[: recipe.verify.images])
    policy = bundle_policy(recipe, len(modes))
    modules = load_modules(module_folder(build, target.name))
    figures = make(build.name, modules, modes, policy, images.tobytes(), len(images), target, out)
    atomic_write(out / RESULT, json.dumps(figures, indent=1) + "\n")
