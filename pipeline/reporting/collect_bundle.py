# SPDX-License-Identifier: Apache-2.0
"""Gathering for a target that takes a bundle: the bundle's figures, and the accuracies that the host measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from dimmer.pipeline.artifacts.bundle import Bundle, BundledMode, bundle_stage_folder
from dimmer.pipeline.artifacts.calibration import CalibratedMode, Calibration, calibration_folder
from dimmer.pipeline.artifacts.firmware import FirmwareStack, Switch
from dimmer.pipeline.artifacts.report import BundleFigures, Candidate, Flash, GpuFigures, ModeFigures, Ram, ReportData
from dimmer.pipeline.artifacts.verification import Verified, VerifiedMode, verify_folder
from dimmer.pipeline.core.stage import StageResult
from dimmer.version import dimmer_version

if TYPE_CHECKING:
    from dimmer.pipeline.artifacts.build import BuildContext


def collect_bundle(context: BuildContext, stages: Sequence[StageResult]) -> ReportData:
    """As collect, for a target whose engine is TVM.

    Raises:
        DimmerError: a stage's file is missing or damaged.
    """
    build = context.build_dir
    calibration = Calibration.load(calibration_folder(build))
    bundle = Bundle.load(bundle_stage_folder(build, context.target.name))
    verified = Verified.load(verify_folder(build, "host"))
    return ReportData(
        model=context.recipe.name,
        target=context.target.name,
        dataset=context.recipe.model.dataset,
        generator_version=dimmer_version(),
        flash=Flash(weights=bundle.bytes.weights, tables=None, code=None, total=None, single_mode_total=None),
        ram=Ram(arena=None, scratch=None, stack=None, total=None, single_mode_arena=None),
        stack=FirmwareStack(proven=None, before_hook=None, exception_frame=None),
        switch=Switch(instructions=None, bytes_of_flash_per_extra_mode=None),
        modes=tuple(_mode(mode, calibration.mode(mode.name), verified.mode(mode.name)) for mode in bundle.modes),
        candidates=tuple(map(Candidate.of, calibration.modes)),
        policy=bundle.policy,
        stages=tuple(stages),
        notes={**_notes(verified.test_images), **bundle.notes},
        bundle=BundleFigures(bundle.version, bundle.architecture, bundle.tvm, bundle.bytes),
    )


def _mode(bundled: BundledMode, calibrated: CalibratedMode, measured: VerifiedMode) -> ModeFigures:
    return ModeFigures(
        name=bundled.name,
        macs=calibrated.macs,
        bit_operations=calibrated.bit_operations,
        accuracy=measured.accuracy,
        accuracy_float=measured.accuracy_float,
        instructions=None,
        energy_uj=None,
        verify=bundled.verify,
    )


def _notes(test_images: int) -> dict[str, str]:
    elsewhere = "a bundle lies on a disk and TVM allocates what it needs: see bundle.bytes"
    notes = {f"flash.{key}": elsewhere for key in ("tables", "code", "total", "single_mode_total")}
    notes |= {f"ram.{key}": elsewhere for key in _names(Ram)}
    notes |= {f"stack.{key}": elsewhere for key in ("proven", "before_hook", "exception_frame")}
    notes |= {f"switch.{key}": "a mode is another function of the library" for key in _names(Switch)}
    notes["modes[*].instructions"] = "qemu-aarch64 counts no instructions"
    notes |= dict.fromkeys(("modes[*].cycles", "modes[*].cycles_source"), "qemu-aarch64 knows no cycles")
    unknown = (
        "emulation tells no time, and so no energy: dimmer measure tells it on the board (docs/tutorials/measure.md)"
    )
    notes |= dict.fromkeys(("modes[*].energy_uj", "energy"), unknown)
    notes["modes[*].accuracy"] = f"of {test_images:,} test images, by the C code on the host, which is as bit-exact"
    notes["bundle.latency_us"] = "emulation tells no time: dimmer-run measures it on the board"
    for key in _names(GpuFigures):
        notes[f"bundle.gpu.{key}"] = "no GPU was at hand: tensorrt/build_engines.py measures it on the board"
    return notes


def _names(cls: type[Ram | Switch | GpuFigures]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(cls))
