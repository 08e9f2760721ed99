# SPDX-License-Identifier: Apache-2.0
"""A bundle made of TVM's modules, and its self-test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.policy import PolicyConfig, even_policy
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.artifacts.bundle import Bundle, BundleBytes, BundledMode, module_folder
from dimmer.pipeline.artifacts.calibration import Calibration
from dimmer.pipeline.artifacts.converted import converted_folder, mode_sources
from dimmer.pipeline.artifacts.firmware import Verification
from dimmer.pipeline.bundles.bundle import GPU_CODE, GPU_LIBRARY, LIBRARY, MACHINES, WEIGHTS, machine_of, make_bundle
from dimmer.pipeline.core.debian import require_tools
from dimmer.pipeline.core.documents import parse_document
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.data.encoding import to_int8
from dimmer.pipeline.data.registry import Source, load_dataset
from dimmer.pipeline.image.figures import policy_tiers
from dimmer.pipeline.image.menu import check_needs_no_figures, ids, menu_note, menu_of
from dimmer.pipeline.image.policy import recipe_policy
from dimmer.pipeline.recipe.sections.policy import PolicySection
from dimmer.pipeline.tvm.document import load_modules
from dimmer.pipeline.tvm.parts import Modules, SelfTest
from dimmer.pipeline.tvm.runtime import tvm_runtime
from dimmer.project import cache_folder
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
) -> Bundle:
    """Makes ``out/<name>`` a bundle, runs its self-test, and gives what bundle.json holds of it.

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
    return Bundle(
        version=manifest.version,
        architecture=manifest.architecture,
        tvm=manifest.tvm,
        bytes=BundleBytes(
            weights=sizes[WEIGHTS],
            library=sizes[LIBRARY],
            gpu_library=sizes.get(GPU_LIBRARY, 0) + sizes.get(GPU_CODE, 0),
            runtime=sum(sizes[f"lib/{library.name}"] for library in runtime.libraries),
            program=sizes["bin/dimmer-run"],
            total=sum(sizes.values()),
        ),
        modes=tuple(BundledMode(mode.name, checked[mode.name]) for mode in modes),
        policy=policy_tiers(policy, [mode.name for mode in modes]),
    )


@dataclass(frozen=True)
class SelfTested:
    """What dimmer-run says of one mode (targets/linux/dimmer_run.c)."""

    mode: str
    samples: int
    mismatches: int
    ok: bool


def self_test(bundle: Path, target: Target) -> dict[str, Verification]:
    """Runs a bundle's program on the target.

    Returns:
        Mode -> against the reference interpreter.

    Raises:
        DimmerError: a result differs from the reference interpreter's in any bit, or is none.
    """
    done = target.run(bundle / "bin" / "dimmer-run", ["--self-test"], bundle)
    try:
        lines = [parse_document(SelfTested, line) for line in done.stdout.splitlines()]
    except ValueError as error:
        raise DimmerError(f"{target.name}: the self-test says what cannot be read ({error}); report it") from error
    wrong = [f"{line.mode} in {line.mismatches} of {line.samples}" for line in lines if not line.ok]
    if wrong or not lines:
        raise DimmerError(
            f"{target.name}: the modes differ from the TFLite interpreter ({', '.join(wrong) or 'no result'}); "
            "do not install it, report it"
        )
    return {line.mode: Verification(line.samples, line.mismatches, target.description) for line in lines}


def bundle_policy(section: PolicySection, modes: Sequence[str], calibration: Calibration) -> tuple[PolicyConfig, str]:
    """The recipe's tiers over the modes that are worth choosing from, and what to say of the others.

    Even ones where the recipe's are budgets of gates, which TVM's modes have not. TVM computes narrow modes with the
    products of 8 bits, so that what a mode costs are its MACs.

    Raises:
        DimmerError: the recipe asks for what needs to know the time or the charge that a mode takes.
    """
    check_needs_no_figures(section, "what a mode of a bundle takes is not known before it runs on the board")
    menu = menu_of({mode: calibration.mode(mode).macs for mode in modes}, calibration)
    useful = ids(menu, modes)
    policy = recipe_policy(replace(section, budgets=()), useful, knee=modes.index(menu.knee))
    if section.budgets:
        tiers = even_policy(len(useful)).tiers
        policy = replace(even_policy(len(modes)), tiers=tuple(replace(tier, mode=useful[tier.mode]) for tier in tiers))
    return replace(policy, safe_mode=useful[-1]), menu_note(menu.left_out)


def make_published(
    dataset: Source,
    images: int,
    section: PolicySection,
    calibration: Calibration,
    build: Path,
    target: Target,
    out: Path,
    progress: Progress,
) -> None:
    """Writes the bundle of a model's published modes and `bundle.json` into `out`.

    Args:
        images: how many test images of the data set its self-test has.
        section: the recipe's.
        build: ``build/<model>``, converted and compiled by TVM.

    Raises:
        DimmerError, TargetError: as `make`.
    """
    progress("running the modes", 0.1)
    modes = mode_sources(converted_folder(build))
    inputs = to_int8(load_dataset(dataset).test.images[:images])
    modules = load_modules(module_folder(build, target.name))
    policy, note = bundle_policy(section, [mode.name for mode in modes], calibration)
    made = make(build.name, modules, modes, policy, inputs.tobytes(), len(inputs), target, out)
    replace(made, notes={"policy": note} if note else {}).save(out)
