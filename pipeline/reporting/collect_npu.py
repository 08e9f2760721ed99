# SPDX-License-Identifier: Apache-2.0
"""Gathering for a target with an NPU: what Vela estimates, what the modes share, what the model of the NPU showed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dimmer.pipeline.artifacts.calibration import CalibratedMode, Calibration, calibration_folder
from dimmer.pipeline.artifacts.firmware import FirmwareStack, Switch, Verification
from dimmer.pipeline.artifacts.npu import (
    NpuFirmware,
    NpuMode,
    VerifiedNpu,
    npu_folder,
    verify_npu_folder,
)
from dimmer.pipeline.artifacts.report import Candidate, Flash, ModeFigures, NpuFigures, Ram, ReportData
from dimmer.pipeline.artifacts.verification import Verified, VerifiedMode, verify_folder
from dimmer.pipeline.core.stage import StageResult
from dimmer.pipeline.energy.account import Counted, account
from dimmer.pipeline.energy.inference import energy_note, inference_uj
from dimmer.pipeline.recipe.sections.duty import Duty, duty_of
from dimmer.pipeline.reporting.detection import detection_figures
from dimmer.pipeline.reporting.ends import input_figures, output_figures
from dimmer.targets import Target
from dimmer.version import dimmer_version

if TYPE_CHECKING:
    from dimmer.pipeline.artifacts.build import BuildContext

UNMEASURED = "nobody has measured what a cycle of this NPU takes, and no document says it (docs/npu.md)"
ESTIMATE = "Vela's estimate of the NPU's cycles, a model of its own; measured by nobody"


def collect_npu(context: BuildContext, stages: Sequence[StageResult]) -> ReportData:
    """As collect, for a target whose engine is Ethos-U.

    Raises:
        DimmerError: a stage's file is missing or damaged.
    """
    build, target = context.build_dir, context.target
    calibration = Calibration.load(calibration_folder(build))
    firmware = NpuFirmware.load(npu_folder(build, target.name))
    checked = VerifiedNpu.load(verify_npu_folder(build, target.name))
    verified = Verified.load(verify_folder(build, "host"))
    shown = {mode.name: mode.outcome for mode in checked.modes}
    verifications = {
        name: None if found is None else Verification(found.samples, found.mismatches, checked.backend)
        for name, found in shown.items()
    }
    duty = duty_of(context.recipe.duty, context.recipe.governor)
    modes = tuple(
        _mode(mode, calibration.mode(mode.name), verified.mode(mode.name), verifications[mode.name], target, duty)
        for mode in firmware.modes
    )
    sizes, extra = firmware.bytes, [mode.extra_bytes for mode in firmware.modes[1:]]
    single = sizes.total - (sizes.blob - sizes.single_mode_blob) - sum(m.stream_bytes for m in firmware.modes[1:])
    gone = {mode.mode: mode.reason for mode in firmware.left_out}
    candidates = [Candidate.of(mode) for mode in calibration.modes]
    return ReportData(
        model=context.recipe.name,
        target=target.name,
        dataset=context.recipe.model.dataset,
        generator_version=dimmer_version(),
        flash=Flash(sizes.blob, sizes.tables + sizes.streams, sizes.code, sizes.total, single),
        ram=Ram(firmware.arena, None, None, None, None),
        stack=FirmwareStack(proven=None, before_hook=None, exception_frame=None),
        switch=Switch(None, round(sum(extra) / len(extra)) if extra else None),
        modes=modes,
        candidates=tuple(
            replace(one, published=False, reason=gone[one.name]) if one.name in gone else one for one in candidates
        ),
        policy=firmware.policy,
        stages=tuple(stages),
        energy=account(target.energy, duty, [Counted(mode.name, None, mode.cycles) for mode in firmware.modes]),
        notes=_notes(firmware, checked, verified.test_images, target, duty),
        npu=NpuFigures(
            accelerator=firmware.accelerator,
            vela=firmware.vela,
            system_config=firmware.system_config,
            memory_mode=firmware.memory_mode,
            bytes=sizes,
            modes=firmware.modes,
            rehearsed=firmware.rehearsed,
            proves=checked.proves,
        ),
        inputs=input_figures(context),
        outputs=output_figures(context),
        detection=detection_figures(context),
        scores={mode.name: mode.scores for mode in verified.modes if mode.scores is not None and mode.name in shown},
    )


def core_operators(modes: Sequence[NpuMode]) -> str:
    """Which operators of which modes stay on the core, and why, in a sentence; nothing where none does."""
    found: dict[str, list[str]] = {}
    for mode in modes:
        for one in mode.on_core:
            found.setdefault(f"{one.operator} ({one.tensor}: {one.why})", []).append(mode.name)
    return "; ".join(f"{operator} of {', '.join(names)}" for operator, names in found.items())


def _mode(
    made: NpuMode,
    calibrated: CalibratedMode,
    measured: VerifiedMode,
    verify: Verification | None,
    target: Target,
    duty: Duty,
) -> ModeFigures:
    return ModeFigures(
        name=made.name,
        macs=calibrated.macs,
        bit_operations=calibrated.bit_operations,
        accuracy=measured.accuracy,
        accuracy_float=measured.accuracy_float,
        instructions=None,
        energy_uj=inference_uj(target.energy, None, made.cycles, duty.clock_mhz),
        verify=verify,
        cycles=made.cycles,
        cycles_source="vela",
    )


def _notes(firmware: NpuFirmware, checked: VerifiedNpu, images: int, target: Target, duty: Duty) -> dict[str, str]:
    apart = "the NPU's scratch is the arena's larger part; the stack is the application's"
    notes = {f"ram.{key}": apart for key in ("scratch", "stack", "total", "single_mode_arena")}
    notes |= {f"stack.{key}": "not proven for this engine" for key in ("proven", "before_hook", "exception_frame")}
    notes["flash.single_mode_total"] = "computed: without what the other modes add to blob and streams"
    notes["modes[*].instructions"] = (
        "not counted: the NPU executes none, its core unpacks scales and runs what the NPU leaves to it (docs/npu.md)"
    )
    notes |= dict.fromkeys(("modes[*].cycles", "modes[*].cycles_source"), ESTIMATE)
    notes["modes[*].accuracy"] = f"of {images:,} test images, by the C code on the host, which is as bit-exact"
    notes["modes[*].verify"] = checked.proves
    if left := core_operators(firmware.modes):
        notes["npu.modes[*].parts"] = f"the NPU's core runs {left}"
        for key in ("modes[*].cycles", "modes[*].cycles_source"):
            notes[key] += "; without what the core runs of a mode"
    notes["switch.instructions"] = (
        "a stream runs whole: a mode that is set within an inference holds from the next one on"
    )
    notes["switch.bytes_of_flash_per_extra_mode"] = "mean of what leaving a mode out would save, its stream included"
    if len(firmware.modes) == 1:
        notes["switch.bytes_of_flash_per_extra_mode"] = "there is one mode"
    how = (
        energy_note(target, True, duty.clock_mhz)
        if target.energy
        else f"targets/{target.name}/target.toml has no [energy]: {UNMEASURED}"
    )
    # Modes are chosen, and charge is counted, by the same cycles.
    alone = "; of the NPU's streams alone, without what the core runs of a mode" if left else ""
    notes |= dict.fromkeys(("modes[*].energy_uj", "energy"), how + alone)
    if target.energy is not None:
        notes["energy.board"] = f"targets/{target.name}/target.toml has constants of its own"
        notes |= dict.fromkeys(
            ("energy.constants[*].date", "energy.constants[*].trace"), "not measured by you: dimmer measure does it"
        )
    if firmware.note or left:
        notes["policy"] = f"{firmware.note or 'tiers are chosen by cycles'}{alone}"
    return notes
